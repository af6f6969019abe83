import type { MissionStatus } from '../../coordinator/mission/handle-types.ts';
import { describeDone, describeNotDone } from '../../coordinator/mission/describe-done.ts';
import { describeState, isDryRun, isPlanned } from '../../coordinator/mission/shown-state.ts';
import { countOf } from '../../text/plural.ts';
import { toSummary } from '../../findings/stored.ts';
import type { FindingStore, StoredFinding } from '../../findings/types.ts';
import { formatSpent } from '../../pricing/free-local.ts';
import { formatUsd, toNanoUsd } from '../../pricing/money.ts';
import { renderResult, toMissionAnswer } from './finding/result.ts';
import { SwarmRefusedError } from '../../errors.ts';
import { lineWidth, fitLine, toMarks, renderTable } from './print.ts';
import { toOneLine } from '../../text/one-line.ts';

/** The text of `fleet mission ls`. */
export function renderMissionTable(missions: readonly MissionStatus[]): string {
  if (missions.length === 0) return 'There is no mission yet: fleet mission "…" adds one.';
  const rows = missions.map((mission) => [
    mission.id,
    describeState(mission),
    describeTasks(mission),
    formatSpent(mission.budget.settled + mission.budget.uncertain, 4, mission.budget.freeLocal),
    mission.createdAt?.slice(0, 16).replace('T', ' ') ?? '–',
    fitLine(mission.goal, 50),
  ]);
  return renderTable([['MISSION', 'STATE', 'TASKS', 'COST', 'SINCE', 'GOAL'], ...rows], [3]);
}

/** The text of `fleet mission ID`. */
export function renderMission(mission: MissionStatus): string {
  const { id, goal, state, session, workspace, problem, budget, recall, plan, finding, approval, answers } = mission;
  const of = budget.limit === null ? '' : ` of ${formatUsd(budget.limit, 4)}`;
  return [
    `Mission ${id}: ${state === 'running' ? 'running, ' : ''}${describeState(mission)}${isDryRun(mission) ? ': no task of it was added' : ''}`,
    `  goal:      ${fitLine(goal, lineWidth() - 13)}`,
    `  session:   ${session}${workspace === null ? '' : `, workspace ${workspace}`}`,
    ...(recall === null ? [] : [`  recall:    ${fitLine(describeRecall(recall), lineWidth() - 13)}`]),
    ...(plan === null ? [] : [`  plan:      ${fitLine(plan.approach, lineWidth() - 13)}`]),
    `  tasks:     ${describeTasks(mission)}`,
    `  cost:      ${formatSpent(budget.settled + budget.uncertain, 6, budget.freeLocal)}${of}`,
    ...(approval === null ? [] : [`  approved:  ${describeApproval(approval)}`]),
    ...answers.map(renderAnswerLine),
    ...(problem === '' ? [] : [`  problem:   ${problem}`]),
    ...(finding === null ? [] : [`  answer:    fleet findings ${finding}`]),
    ...toNext(mission),
  ].join('\n');
}

/** Reads what a mission's answer cites. Null: it is no longer there, or its swarm cannot be read now. */
export async function readSources(
  findings: Pick<FindingStore, 'get'>,
  ids: readonly string[],
): Promise<(readonly [string, StoredFinding | null])[]> {
  return Promise.all(
    ids.map(async (id) => {
      const found = await findings.get(id).catch((error: unknown) => {
        if (error instanceof SwarmRefusedError) return null;
        throw error;
      });
      return [id, found] as const;
    }),
  );
}

/** The answer of a mission, its sources, its tasks and its cost. */
export function renderAnswer(
  answer: StoredFinding,
  sources: readonly (readonly [string, StoredFinding | null])[],
): string {
  const result: unknown = answer.result;
  const list = sources.map(([id, source]) => {
    const head = `  ${id}  ${source === null ? '(no longer there)' : `${source.at.slice(0, 16).replace('T', ' ')}  `}`;
    return source === null
      ? head
      : head + fitLine(toMarks(source) + toSummary(source), Math.max(30, lineWidth() - head.length));
  });
  const words = readAnswers(result).map(renderAnswerLine);
  return [
    toMissionAnswer(result) ?? renderResult(result),
    ...(list.length === 0 && words.length === 0 ? [] : ['', 'Sources:', ...list, ...words]),
    '',
    ...renderTotals(answer.finding_id, result),
  ].join('\n');
}

/** The person's answers that a mission's finding holds. */
function readAnswers(result: unknown): { n: number; by: string; text: string }[] {
  const { answers } = Object(result) as { answers?: unknown };
  if (!Array.isArray(answers)) return [];
  return answers.map((answer: unknown, i) => {
    const { by = '', text = '' } = Object(answer) as { by?: unknown; text?: unknown };
    return { n: i + 1, by: String(by), text: String(text) };
  });
}

function renderTotals(findingId: string, result: unknown): string[] {
  const read = (...path: string[]): unknown =>
    path.reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      result,
    );
  const number = (...path: string[]): number => Number(read(...path) ?? 0);
  const share = read('delegation', 'haiku_tasks');
  const delegated = read('delegation', 'delegated_tasks') ?? share; // an older version wrote no share of what was delegated
  const saved = read('saving', 'percent');
  const effective = read('saving', 'effective_percent');
  const named = read('saving', 'compared_with'); // an older version wrote none: Sonnet, whatever the coordinator was
  const comparedWith = typeof named === 'string' ? named : 'Sonnet';
  const marks = [
    ...(number('counts', 'partial') === 0 ? [] : [`${number('counts', 'partial')} of them partial`]),
    ...(number('counts', 'tool_errors') === 0 ? [] : [`${number('counts', 'tool_errors')} with tool errors`]),
  ];
  const done = [`${countOf(number('counts', 'done'), 'task')} done`, ...marks].join(', ');
  const cancelled = number('counts', 'cancelled');
  const tasks = `${done}, ${number('counts', 'failed')} failed${cancelled === 0 ? '' : `, ${cancelled} cancelled`}, ${number('counts', 'skipped')} skipped`;
  return [
    `${findingId}  ${tasks}`,
    `cost ${formatSpent(toNanoUsd(number('cost', 'total_usd')), 6, number('cost', 'free_local_calls'))} (coordinator $${number('cost', 'coordinator_usd').toFixed(6)})` +
      (typeof saved === 'number' ? `, saved ${saved.toFixed(1)} % against all ${comparedWith}` : '') +
      (typeof effective === 'number' && effective !== saved ? `, ${effective.toFixed(1)} % after rework` : '') +
      (typeof delegated === 'number'
        ? `, ${(delegated * 100).toFixed(1)} % of tasks ${delegated === share ? 'by Haiku' : 'delegated'}`
        : ''),
  ];
}

function describeApproval({ at, by, dropped, edited }: NonNullable<MissionStatus['approval']>): string {
  const without = dropped.length === 0 ? '' : `, without ${dropped.join(', ')}`;
  return fitLine(
    `${at.slice(0, 16).replace('T', ' ')} by ${by}${edited ? ', edited' : ''}${without}`,
    lineWidth() - 13,
  );
}

function renderAnswerLine({ n, by, text }: { n: number; by: string; text: string }): string {
  return `  ${`person-${n}:`.padEnd(10)} ${fitLine(`${toOneLine(text, Infinity)} (${by})`, lineWidth() - 13)}`;
}

function describeTasks(mission: MissionStatus): string {
  const { counts } = mission;
  if (counts.total === 0) return 'none yet';
  if (isPlanned(mission)) return `${counts.total} planned`;
  return [describeDone(counts, `${counts.total}`), ...describeNotDone(counts)].join(', ');
}

function describeRecall(recall: NonNullable<MissionStatus['recall']>): string {
  if ('skipped' in recall) return `skipped: ${recall.skipped}`;
  return 'failed' in recall ? `failed: ${recall.failed}` : recall.answer;
}

/** The command that a person can give now. */
function toNext({ id, state, counts }: MissionStatus): string[] {
  if (state === 'asks' || state === 'parked')
    return [
      `  next:      fleet resume ${id} --retry goes on${state === 'asks' ? `; in words: fleet resume ${id} --answer "…"` : ''}`,
    ];
  if (state === 'cancelled') {
    const before =
      counts.added === 0 ? '' : `; before it those of its tasks: fleet jobs --mission ${id} --state cancelled`;
    return [`  next:      fleet retry ${id} runs it after all${before}`];
  }
  if (state === 'failed' && counts.done >= counts.total) return [`  next:      fleet retry ${id}`];
  if (state === 'failed') return [`  next:      fleet retry its failed tasks (fleet failed), then fleet retry ${id}`];
  return [];
}
