import { tightestLimits, type PacedLimit, type PacedModel } from '../../pacing/paced-model.ts';
import { formatCount } from '../../text/plural.ts';

const WORDS: Record<PacedModel['limits'][number]['kind'], string> = {
  requests: 'calls',
  input: 'tokens',
  output: 'output tokens',
};

/**
 * One line a model: `Haiku 72 % of 2.0M tokens a minute`, of the limit of which most was used. Models that nothing
 * limits are left out, and those of the same family are named by their ids.
 */
export function describePacing(models: readonly PacedModel[]): string[] {
  const families = models.map(({ model }) => toFamily(model));
  return models
    .map((paced, i) => {
      const family = families[i] ?? '';
      return describePace(paced, families.filter((other) => other === family).length > 1 ? paced.model : family);
    })
    .filter((text) => text !== '');
}

function describePace({ limits, atOnce, calls, heldForMs, waiting }: PacedModel, name: string): string {
  const [binding] = tightestLimits(limits).toSorted((a, b) => b.used / b.perMinute - a.used / a.perMinute);
  const held = heldForMs === 0 ? '' : `held back for ${Math.ceil(heldForMs / 1_000)} s`;
  if (binding === undefined && atOnce === null) return held === '' ? '' : `${name} ${held}`;
  const used = `${name} ${binding === undefined ? `${calls} of ${atOnce} calls at once` : describeUse(binding)}`;
  const waits = waiting.begun + waiting.fresh === 0 ? '' : `${waiting.begun + waiting.fresh} wait`;
  const remarks = [waits, held].filter((remark) => remark !== '');
  return remarks.length === 0 ? used : `${used} (${remarks.join(', ')})`;
}

function describeUse({ kind, perMinute, used }: PacedLimit): string {
  return `${Math.round((100 * used) / perMinute)} % of ${toShort(perMinute)} ${WORDS[kind]} a minute`;
}

function toFamily(model: string): string {
  const [family] = /haiku|sonnet|opus/.exec(model) ?? [model];
  return family === model ? model : family.charAt(0).toUpperCase() + family.slice(1);
}

/** 2.0M, 50k, 1,000. */
function toShort(number: number): string {
  if (number >= 1_000_000) return `${(number / 1_000_000).toFixed(1)}M`;
  return number >= 10_000 ? `${Math.round(number / 1_000)}k` : formatCount(number);
}
