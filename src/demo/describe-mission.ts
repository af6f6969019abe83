import { countOf } from '../text/plural.ts';
import type { MissionRecord } from '../coordinator/mission/types.ts';
import type { Plan, PlannedTask } from '../coordinator/plan/plan.ts';
import { toSummary } from '../findings/stored.ts';
import type { StoredFinding } from '../findings/types.ts';
import { formatUsd, toNanoUsd } from '../pricing/money.ts';
import { toOneLine } from '../text/one-line.ts';
import { startOf } from '../text/start-of.ts';

const WIDTH = 108;
/** The simulated model's mark, removed from its texts: the demo prints it once, at the top. */
const MARK = /\s*\(simulated model\)/g;

/** A mission's recall, survey and plan. */
export function describeStart({ recall, survey, plan }: MissionRecord): string[] {
  return [
    `   Archive:  ${describeRecall(recall)}`,
    `   Survey:   ${describeSurvey(survey)}`,
    ...(plan === null ? [] : describePlan(plan)),
  ];
}

/** One finding in two lines: the task and the result. An answer of the archive has up to four lines with its citations. */
export function describeFinding(finding: StoredFinding): string[] {
  const cost = formatUsd(toNanoUsd(finding.cost ?? 0), 6);
  const asked = toLine((finding.task ?? '').split('\n')[0] ?? '', WIDTH - 34);
  const { task = '', result } = finding;
  const isAnswer = task.startsWith('Ask the archive') && typeof result === 'string';
  const found = isAnswer ? wrap(result).slice(0, 4) : [`   ${toLine(toSummary(finding), WIDTH)}`];
  return [`✅ ${asked} · ${finding.finding_id} · ${cost}`, ...found];
}

/** Wraps a text to indented lines of a terminal. */
export function wrap(text: string, indent = '   '): string[] {
  const lines = [''];
  for (const word of text
    .replaceAll(MARK, '')
    .split(/[\s\p{Cc}]+/u)
    .filter(Boolean)) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => `${indent}${line}`);
}

function describeRecall(recall: MissionRecord['recall']): string {
  if (recall === null) return 'not asked';
  if ('skipped' in recall) return `skipped: ${recall.skipped}`;
  return 'failed' in recall ? `failed: ${recall.failed}` : toLine(recall.answer, WIDTH);
}

function describeSurvey(survey: MissionRecord['survey']): string {
  if (survey === null) return 'not made';
  if ('skipped' in survey) return `skipped: ${survey.skipped}`;
  return 'failed' in survey ? `failed: ${survey.failed}` : `${countOf(survey.files.length, 'file')} listed`;
}

function describePlan({ approach, tasks }: Plan): string[] {
  const count = (chosen: readonly PlannedTask[]): number => chosen.reduce((sum, task) => sum + sizeOf(task), 0);
  const sonnet = count(tasks.filter(({ model }) => model === 'sonnet'));
  const [first = '', ...rest] = wrap(tasks.map(describeTask).join(' · '), '             ');
  return [
    `   Plan:     ${countOf(count(tasks), 'task')}, ${count(tasks) - sonnet} for Haiku, ${sonnet} for Sonnet`,
    `             ${toLine(approach, WIDTH)}`,
    first,
    ...rest,
  ];
}

function describeTask(task: PlannedTask): string {
  const times = sizeOf(task) > 1 ? ` ×${sizeOf(task)}` : '';
  const others = task.depends_on.length > 1 ? `${task.depends_on.length} others` : task.depends_on.join();
  const after = others === '' ? '' : ` (after ${others})`;
  return `${task.id}${times}${after}`;
}

function sizeOf({ for_each: items }: PlannedTask): number {
  return items?.length ?? 1;
}

/** Fits a text into one line of a terminal. */
function toLine(text: string, most: number): string {
  const flat = toOneLine(text.replaceAll(MARK, ''), Infinity);
  return flat.length <= most ? flat : `${startOf(flat, most - 1).trimEnd()}…`;
}
