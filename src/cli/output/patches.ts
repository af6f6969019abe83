import type { PatchOutcome } from '../../patches/apply/types.ts';
import { findCarriers } from '../../patches/carriers.ts';
import type { PatchRecord, PatchSelection } from '../../patches/types.ts';
import { countOf } from '../../text/plural.ts';
import { fitLine, lineWidth, renderTable } from './print.ts';

const SIGNS: Record<PatchOutcome['outcome'], string> = {
  applied: '✅',
  fits: '✅',
  already: '✅',
  discarded: '✅',
  undone: '✅',
  conflict: '❌',
  dirty: '❌',
  red: '❌',
  refused: '❌',
};
/** What a person can do about a patch that is left out. */
const ADVICE: Partial<Record<PatchOutcome['outcome'], (findingId: string) => string>> = {
  conflict: (id) => `try --3way, or take it by hand: fleet diff ${id} | git apply --reject`,
  dirty: () => 'commit or move it, then apply again',
};

/** Whether a patch was left out, so that the command did not do all. */
export function isLeftOut({ outcome }: PatchOutcome): boolean {
  return SIGNS[outcome] === '❌';
}

/** One patch and what became of it. */
export function renderOutcome(one: PatchOutcome): string {
  const { findingId, outcome, commit, why, paths } = one;
  const short = commit === null ? '' : ` ${commit.slice(0, 10)}`;
  const subject = fitLine(one.subject, 72);
  const head = `${SIGNS[outcome]} ${findingId}  ${subject}  (${outcome}${short})`;
  if (why === '') return head;
  if (outcome === 'red') return [head, ...why.split('\n').map((line) => `     ${line}`)].join('\n');
  const where = paths.length > 0 && outcome === 'conflict' ? `${fitLine(paths.join(', '), 300)}: ` : '';
  const advice = ADVICE[outcome]?.(findingId);
  const lines = [`${where}${fitLine(why, 1_000)}`, ...(advice === undefined ? [] : [advice])];
  return [head, ...lines.map((line) => `     ${line}`)].join('\n');
}

/** The last line of a command that works patches. */
export function summarise(outcomes: readonly PatchOutcome[], selection: PatchSelection): string {
  if (outcomes.length === 0) {
    const { batch, mission } = selection;
    return `No patch waits in ${batch === undefined ? `mission ${mission ?? ''}` : `batch ${batch}`}.`;
  }
  const count = (kind: PatchOutcome['outcome']): number => outcomes.filter(({ outcome }) => outcome === kind).length;
  const left = outcomes.filter(isLeftOut).length;
  const parts = [
    ...(count('applied') > 0 ? [`${countOf(count('applied'), 'patch', 'patches')} applied`] : []),
    ...(count('fits') > 0 ? [`${countOf(count('fits'), 'patch', 'patches')} would be applied`] : []),
    ...(count('undone') > 0 ? [`${countOf(count('undone'), 'patch', 'patches')} undone`] : []),
    ...(count('discarded') > 0 ? [`${countOf(count('discarded'), 'patch', 'patches')} discarded`] : []),
    ...(count('already') > 0 ? [`${count('already')} in HEAD already`] : []),
    ...(left > 0 ? [`${left} left out`] : []),
  ];
  return parts.join(', ');
}

/** The waiting patches, one line each. */
export function renderPatchList(records: readonly PatchRecord[]): string {
  const carriers = findCarriers(records);
  const rows = records.map(({ findingId, state, changes, added, removed, message }) => [
    findingId,
    carriers.has(findingId) ? `carried by ${carriers.get(findingId)?.findingId}` : state,
    countOf(changes.length, 'file'),
    `+${added}`,
    `-${removed}`,
    fitLine(message.split('\n', 1)[0] ?? '', Math.max(30, lineWidth() - 60)),
  ]);
  return renderTable(rows, [2, 3, 4]);
}

/** The files of a patch, with their counts of lines. */
export function renderStat(record: PatchRecord): string {
  const { findingId, message, changes, leftOut, state } = record;
  const carries = describeCarried(record);
  const files = changes.map(({ path, added, removed }) => [`  ${fitLine(path, 200)}`, `+${added}`, `-${removed}`]);
  const left = leftOut.map(({ path, why }) => `  left out: ${fitLine(path, 200)}: ${fitLine(why, 200)}`);
  const head = `${findingId}  ${fitLine(message.split('\n', 1)[0] ?? '', 100)}  (${state})`;
  return [
    head,
    ...(files.length === 0 ? ['  nothing changed'] : [renderTable(files, [1, 2])]),
    ...left,
    ...carries.map((line) => `  ${line}`),
  ].join('\n');
}

/** Names the patches whose changes a patch holds, too. Empty: there are none. */
export function describeCarried({ findingId, carries = [] }: PatchRecord): string[] {
  return carries.length === 0
    ? []
    : [`${findingId} carries the changes of ${carries.join(', ')}: they are applied with it`];
}
