import type { PacedLimit } from '../../pacing/paced-model.ts';
import type { LimitedModel } from '../../pacing/read-limits.ts';
import { renderTable } from './print.ts';
import { formatCount } from '../../text/plural.ts';

const KINDS: Record<PacedLimit['kind'], string> = {
  requests: 'calls a minute',
  input: 'tokens a minute',
  output: 'output tokens a minute',
};
/** So much of a key's hash tells two keys apart. */
const SHOWN_KEY = 6;

/** One line a limit, under the first one of its key and model. */
export function renderModelLimits(models: readonly LimitedModel[], nowMs: number): string {
  if (models.length === 0) return 'No model was called in the last day, and no row of models.json states a limit.';
  const rows = models.flatMap((model) => {
    const [first, ...more] = toCells(model, nowMs);
    return [
      [model.model, describeKey(model.key), ...(first ?? ['none known', '', '', '']), describeState(model)],
      ...more.map((cells) => ['', '', ...cells, '']),
    ];
  });
  return renderTable([['MODEL', 'KEY', 'LIMIT', 'USED', 'LEFT', 'SAID BY', 'STATUS'], ...rows], [3, 4]);
}

/** Cells `LIMIT`, `USED`, `LEFT` and `SAID BY` of each limit. */
function toCells({ limits, atOnce, calls, learned }: LimitedModel, nowMs: number): string[][] {
  const provider = learned === null ? 'provider' : `provider, ${toAge(nowMs - Date.parse(learned.at))} ago`;
  const by = learned === null || learned.by === null ? provider : `${provider} (${learned.by})`;
  return [
    ...limits.map(({ kind, perMinute, used, left, from }) => [
      `${formatCount(perMinute)} ${KINDS[kind]}`,
      formatCount(used),
      formatCount(left),
      from === 'row' ? 'models.json' : by,
    ]),
    ...(atOnce === null
      ? []
      : [
          [
            `${formatCount(atOnce)} calls at once`,
            formatCount(calls),
            formatCount(Math.max(0, atOnce - calls)),
            'models.json',
          ],
        ]),
  ];
}

function describeKey(key: string): string {
  return key === '' || key === 'none' ? '–' : key.slice(0, SHOWN_KEY);
}

function describeState({ cooling, heldForMs, waiting, key }: LimitedModel): string {
  const waits = waiting.begun + waiting.fresh;
  const remarks = waits === 0 ? '' : `, ${waits} wait`;
  if (cooling !== null) return `⚠️ ${WHY[cooling.why] ?? 'cooling'} ${toSeconds(cooling.forMs)}${remarks}`;
  if (heldForMs > 0) return `✅ held back ${toSeconds(heldForMs)}${remarks}`;
  return key === '' ? '– not called' : `✅ ok${remarks}`;
}

const WHY: Record<string, string> = {
  'rate-limit': 'cooling',
  probe: 'no answer, tried again in',
  uncertain: 'for money',
};

function toSeconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`;
}

function toAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
