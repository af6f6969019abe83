import { readOrigin } from '../../../../queues/origin.ts';
import { describeChain } from '../../../status/describe-rules.ts';
import { NotFoundError, UsageError } from '../../../errors.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { listUnreadable } from '../../../findings/external/unreadable.ts';
import type { FindingQuery, StoredFinding } from '../../../findings/types.ts';
import { countToolErrors, isPartial } from '../../../findings/marks.ts';
import { toSummary } from '../../../findings/stored.ts';
import { assertBatch } from '../../../tasks/batch/progress.ts';
import { countOf, formatCount } from '../../../text/plural.ts';
import { FINDINGS_SHOWN } from '../../input/options.ts';
import {
  lineWidth,
  printJson,
  fitLine,
  toMarks,
  PARTIAL_MEANING,
  describeCost,
  describeUnmetered,
} from '../../output/print.ts';
import { readSources, renderAnswer } from '../../output/mission.ts';
import { renderResult, toMissionAnswer } from '../../output/finding/result.ts';
import { describePatch } from '../../output/waiting-patches.ts';
import { withFleet } from '../../input/with-fleet.ts';

export interface FindingsOptions {
  find?: string;
  grep?: string;
  session?: string;
  batch?: string;
  shard?: string;
  swarm?: string;
  limit?: number;
  json?: boolean;
  export?: string | true;
  import?: string;
  answers?: boolean;
  unreadable?: boolean;
}

/** Does `fleet findings`. */
export async function runFindingsCommand(id: string | undefined, options: FindingsOptions): Promise<void> {
  if (options.import !== undefined) assertAlone(id, options);
  if (options.find !== undefined) assertNoOtherSearch(id, options);
  if (options.unreadable === true) assertNoFilter(id, options);
  await withFleet(async (fleet) => {
    const { findings, inner } = fleet;
    if (options.import !== undefined) {
      const { importFindingsFile } = await import('./findings-transfer.ts');
      return importFindingsFile(fleet, options.import, options);
    }
    if (options.unreadable === true) return printUnreadable(fleet, options);
    if (id !== undefined) {
      const finding = await findings.get(id.replace(/^finding:/, ''));
      if (finding === null)
        throw new NotFoundError(`finding ${id}: there is none; \`fleet findings\` lists the newest`);
      return options.json ? printJson(finding) : console.log(await renderFinding(findings, finding));
    }
    const { batch, export: target } = options;
    // An imported batch has findings, but no tasks.
    if (
      batch !== undefined &&
      options.swarm === undefined &&
      (await inner.db.redis.exists(inner.db.keys.indexByBatch(batch))) === 0
    ) {
      await assertBatch(inner.db, batch);
    }
    if (options.find !== undefined) {
      const { findFindings } = await import('./findings-find.ts');
      return findFindings(findings, options.find, options);
    }
    if (target !== undefined) {
      const { exportFindings } = await import('./findings-transfer.ts');
      return exportFindings(fleet, target === true || target === '-' ? null : target, toQuery(options));
    }
    const found = await findings.list({ ...toQuery(options), limit: options.limit ?? FINDINGS_SHOWN });
    if (options.json) return printJson(found);
    if (found.length === 0) return console.log('No finding fits.');
    for (const finding of found) console.log(renderLine(finding));
  });
}

function toQuery({ grep, session, batch, shard, swarm, limit, answers }: FindingsOptions): FindingQuery {
  return {
    ...(grep === undefined ? {} : { text: grep }),
    ...(session === undefined ? {} : { session }),
    ...(batch === undefined ? {} : { batch }),
    ...(shard === undefined ? {} : { shard }),
    ...(swarm === undefined ? {} : { swarm }),
    ...(limit === undefined ? {} : { limit }),
    ...(answers === true ? { answers } : {}),
  };
}

/** @throws UsageError where `--import` would ignore another option */
function assertAlone(id: string | undefined, options: FindingsOptions): void {
  const others = (['find', 'grep', 'session', 'batch', 'shard', 'swarm', 'limit', 'export', 'answers'] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (id === undefined && others.length === 0) return;
  throw new UsageError(
    `--import: takes the whole file; expected nothing beside it, got ${id ?? others.map((name) => `--${name}`).join(', ')}`,
  );
}

async function printUnreadable({ inner }: OpenFleet, { limit, json }: FindingsOptions): Promise<void> {
  const { count, found } = await listUnreadable(inner.db, limit ?? FINDINGS_SHOWN);
  if (json) return printJson({ count, found });
  if (count === 0) return console.log('Everything that other programs stored as findings can be read.');
  for (const { key, holds, start } of found) {
    const head = `${fitLine(key, 60).padEnd(34)}  ${holds.padEnd(28)}  `;
    console.log((head + fitLine(start, Math.max(30, lineWidth() - head.length))).trimEnd());
  }
  if (count > found.length) console.log(`${found.length} of ${formatCount(count)}; --limit shows more`);
}

/** @throws UsageError where `--unreadable` would ignore another option */
function assertNoFilter(id: string | undefined, options: FindingsOptions): void {
  const others = (['find', 'grep', 'session', 'batch', 'shard', 'export', 'import', 'answers'] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (id === undefined && others.length === 0) return;
  const got = id ?? others.map((name) => `--${name}`).join(', ');
  throw new UsageError(`--unreadable: expected only --limit and --json beside it, got ${got}`);
}

/** @throws UsageError where `--find` would ignore another option */
function assertNoOtherSearch(id: string | undefined, options: FindingsOptions): void {
  const others = (['grep', 'export', 'answers'] as const).filter((name) => options[name] !== undefined);
  if (id === undefined && others.length === 0) return;
  const got = id ?? others.map((name) => `--${name}`).join(', ');
  throw new UsageError(
    `--find: expected only --session, --batch, --shard, --swarm, --limit and --json beside it, got ${got}`,
  );
}

function renderLine(finding: StoredFinding): string {
  const cost = describeCost(finding) ?? '';
  const head = `${finding.finding_id.padEnd(26)}  ${finding.at.slice(0, 19)}Z  ${cost.padStart(9)}  `;
  const mark = toMarks(finding) + toPatchMark(finding);
  return (head + mark + fitLine(toSummary(finding), Math.max(30, lineWidth() - head.length))).trimEnd();
}

/** A patch that waits for a person is marked in a list. */
function toPatchMark({ patch }: StoredFinding): string {
  return patch?.state === 'pending' || patch?.state === 'conflict' ? `PATCH ${patch.state.toUpperCase()}  ` : '';
}

/** The facts of a finding, then all that it says: a mission's answer as text, with its sources. */
async function renderFinding(findings: OpenFleet['findings'], finding: StoredFinding): Promise<string> {
  const isAnswer = toMissionAnswer(finding.result) !== null;
  const usage = finding.unmetered === undefined ? finding.usage : undefined;
  const facts: [string, string | undefined][] = [
    ['Retracted', toRetraction(finding)],
    ['Condensed', finding.status === 'condensed' ? `replaced by ${finding.summary_id ?? ''}` : undefined],
    ['Partial', isPartial(finding) ? PARTIAL_MEANING : undefined],
    ...toErrorFacts(finding),
    ['Task', fitLine(finding.task ?? '', 400)],
    ['At', finding.at],
    ['By', [finding.worker_id, finding.model].filter((part) => part !== undefined).join(', ')],
    ['Session', finding.session],
    ['Batch', finding.batch ?? undefined],
    ['Shard', finding.shard],
    ['Swarm', toSwarm(finding)],
    ['Cost', describeCost(finding)],
    ['Unmetered', describeUnmetered(finding)],
    [
      'Tokens',
      usage === undefined
        ? finding.tokens_used?.toString().replace(/^0$/, '')
        : `${usage.input + usage.cache_write + usage.cache_read} prompt, ${usage.output} output`,
    ],
    ['Changed', finding.files_changed.join(', ')],
    ['Patch', describePatch(finding) ?? undefined],
    ['Cites', isAnswer ? countOf(finding.citations.length, 'finding') : finding.citations.join(', ')],
    ['Rules', describeChain(readOrigin(finding.origin)?.chain ?? [])],
    ['Topics', finding.topics.join(', ')],
  ];
  const lines = facts
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name.padEnd(11)}${value}`);
  const result = isAnswer
    ? renderAnswer(finding, await readSources(findings, finding.citations))
    : renderResult(finding.result);
  return [`finding:${finding.finding_id}`, ...lines, '', result].join('\n');
}

/** Another swarm, and what a reader must know of it. */
function toSwarm({ swarm, simulated }: StoredFinding): string | undefined {
  return swarm === undefined ? undefined : `${swarm}${simulated === true ? ', SIMULATED work' : ''}`;
}

/** How many tool calls failed, then the last error of each tool. */
function toErrorFacts(finding: StoredFinding): [string, string][] {
  const count = countToolErrors(finding);
  if (count === 0) return [];
  const errors = finding.tool_errors?.last ?? [];
  return [
    ['Failed', `${countOf(count, 'tool call')}, the last of each tool:`],
    ...errors.map(({ tool, error }): [string, string] => ['', fitLine(`${tool}: ${error}`, 400)]),
  ];
}

/** Why, by whom and when the finding was retracted; undefined where it was not. */
function toRetraction(finding: StoredFinding): string | undefined {
  if (finding.status !== 'retracted') return undefined;
  const note: unknown = Reflect.get(finding, 'retracted');
  if (typeof note !== 'object' || note === null) return 'yes';
  return fitLine(['why', 'by', 'at'].map((name) => String(Reflect.get(note, name) ?? '')).join(', '), 400);
}
