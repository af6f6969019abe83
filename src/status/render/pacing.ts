import type { PacedModel } from '../../pacing/paced-model.ts';

const WORDS: Record<PacedModel['limits'][number]['kind'], string> = {
  requests: 'calls',
  input: 'tokens',
  output: 'output tokens',
};

/** One model: `Haiku 72 % of 2.0M tokens a minute`, of the limit of which most was used. Empty: its provider states none. */
export function describePace({ model, limits, heldForMs, waiting }: PacedModel): string {
  const [binding] = limits.toSorted((a, b) => b.used / b.perMinute - a.used / a.perMinute);
  const held = heldForMs === 0 ? '' : `held back for ${Math.ceil(heldForMs / 1_000)} s`;
  if (binding === undefined) return held === '' ? '' : `${toName(model)} ${held}`;
  const percent = Math.round((100 * binding.used) / binding.perMinute);
  const used = `${toName(model)} ${percent} % of ${toShort(binding.perMinute)} ${WORDS[binding.kind]} a minute`;
  const waits = waiting.begun + waiting.fresh === 0 ? '' : `${waiting.begun + waiting.fresh} wait`;
  const remarks = [waits, held].filter((remark) => remark !== '');
  return remarks.length === 0 ? used : `${used} (${remarks.join(', ')})`;
}

function toName(model: string): string {
  const [family] = /haiku|sonnet|opus/.exec(model) ?? [model];
  return family === model ? model : family.charAt(0).toUpperCase() + family.slice(1);
}

/** 2.0M, 50k, 1,000. */
function toShort(number: number): string {
  if (number >= 1_000_000) return `${(number / 1_000_000).toFixed(1)}M`;
  return number >= 10_000 ? `${Math.round(number / 1_000)}k` : number.toLocaleString('en-US');
}
