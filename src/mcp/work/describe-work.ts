import { toShortRanges } from '../answer/ranges.ts';
import type { Work } from './read-work.ts';
import type { WorkTarget, WorkView } from './types.ts';

/** Failed jobs, and open ids, that an answer names. */
const NAMED = 10;

/** Work in few tokens: counts, the failures by name, the lines of a batch as ranges. What is empty or 0 is left out. */
export function describeWork(view: WorkView, target: WorkTarget): WorkSummary {
  const { items, total, done, failed, cancelled, parked, running, open, missing } = view;
  const failures = items?.filter(({ state }) => state === 'failed') ?? [];
  return {
    total,
    done,
    ...(failed === 0 ? {} : { failed, failures: nameFailures(failures, failed) }),
    ...(cancelled === 0 ? {} : { cancelled }),
    ...(parked === 0 ? {} : { parked }),
    ...(missing === 0 ? {} : { missing }),
    ...(running === 0 ? {} : { running }),
    ...(open === 0 ? {} : { open }),
    ...(items === null ? {} : onlyFilled({ ended: listEnded(items, target), not_ended: listOpen(items, target) })),
  };
}

export interface WorkSummary {
  total: number;
  done: number;
  failed?: number;
  failures?: string[];
  cancelled?: number;
  parked?: number;
  missing?: number;
  running?: number;
  open?: number;
  ended?: string;
  not_ended?: string;
}

function nameFailures(failures: readonly Work[], count: number): string[] {
  const named = failures.slice(0, NAMED).map(({ id, reason }) => `${id} ${reason}`);
  return count > named.length ? [...named, `… ${count - named.length} more: failed`] : named;
}

/** Without empty lists. */
function onlyFilled(lists: { ended: string; not_ended: string }): { ended?: string; not_ended?: string } {
  return Object.fromEntries(Object.entries(lists).filter(([, text]) => text !== ''));
}

const listEnded = (items: Work[], target: WorkTarget): string =>
  list(items, target, ({ state }) => ['done', 'failed', 'cancelled', 'missing'].includes(state));

const listOpen = (items: Work[], target: WorkTarget): string =>
  list(items, target, ({ state }) => state === 'open' || state === 'running' || state === 'parked');

/** Lines of a batch as ranges; else ids. */
function list(items: Work[], target: WorkTarget, fits: (item: Work) => boolean): string {
  const numbers = items.flatMap((item, i) => (fits(item) ? [i + 1] : []));
  if ('batch' in target) return toShortRanges(numbers);
  const ids = numbers.map((n) => items[n - 1]?.id ?? '');
  return ids.length <= NAMED ? ids.join(' ') : `${ids.slice(0, NAMED).join(' ')} … (${ids.length} in all)`;
}
