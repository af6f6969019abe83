import type { JobPage, ListedJob } from '../../../jobs/find/types.ts';
import { formatUsd } from '../../../pricing/money.ts';
import { createColours, type Colours } from '../../../status/render/colours.ts';
import { countOf } from '../../../text/plural.ts';
import { fitLine, lineWidth, renderTable } from '../../output/print.ts';

const HEAD = ['JOB', 'STATE', 'AGE', 'COST', 'MODEL', 'OF', 'TEXT'];
/** Right-aligned columns: age and cost. */
const RIGHT = [2, 3];
const UNITS: readonly [ms: number, letter: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
];

/** The text of `fleet jobs`: one line a job, and one more where it tells why the job does not run. @param options.now ms since 1970 */
export function renderJobs(page: JobPage, { now, colour }: { now: number; colour: boolean }): string {
  const { jobs, looked, cursor, stoppedEarly } = page;
  const paint = createColours({ colour });
  const count = `${countOf(looked, 'record')} looked at`;
  const more = cursor === null ? [] : [`➜ ${stoppedEarly ? 'look on' : 'more'}: the same line with --cursor ${cursor}`];
  if (jobs.length === 0) return [`No job fits (${count}${stoppedEarly ? ' so far' : ''}).`, ...more].join('\n');
  const head = [HEAD, ...jobs.map((job) => toCells(job, now))].map((cells) => cells.slice(0, -1));
  const lines = renderTable(head, RIGHT).split('\n');
  const widest = Math.max(...lines.map((line) => line.length));
  const width = Math.max(30, lineWidth() - widest - 2);
  const shown = jobs.flatMap((job, i) => [
    `${paintState((lines[i + 1] ?? '').padEnd(widest), job, paint)}  ${fitLine(job.text, width)}`.trimEnd(),
    ...(job.why === null ? [] : [paint.dim(`   ${fitLine(job.why, Math.max(40, lineWidth() - 3))}`)]),
  ]);
  return [
    `${(lines[0] ?? '').padEnd(widest)}  ${HEAD.at(-1)}`,
    ...shown,
    `${countOf(jobs.length, 'job')}, ${count}.`,
    ...more,
  ].join('\n');
}

function toCells(job: ListedJob, now: number): string[] {
  const { id, state, reason, at, costNanoUsd, model, batch, mission, kind, text } = job;
  const ofMission = kind === 'mission' ? 'mission' : mission;
  return [
    fitLine(id, 60),
    reason === null || reason === state ? state : `${state} ${reason}`,
    toAge(now - Date.parse(at)),
    costNanoUsd === null ? '–' : formatUsd(costNanoUsd, 4),
    model === null ? '–' : fitLine(model, 18),
    fitLine(batch ?? ofMission ?? (kind === 'question' ? 'question' : '–'), 20),
    text,
  ];
}

function paintState(line: string, { state }: ListedJob, paint: Colours): string {
  if (state === 'failed') return paint.red(line);
  return state === 'parked' ? paint.yellow(line) : line;
}

/** `12m`: the largest unit alone. `–` where it is not known. */
export function toAge(ms: number): string {
  if (Number.isNaN(ms)) return '–'; // its record is damaged
  const [unit, letter] = UNITS.find(([length]) => ms >= length) ?? [1_000, 's'];
  return `${Math.max(0, Math.floor(ms / unit))}${letter}`;
}
