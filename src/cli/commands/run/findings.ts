import { NotFoundError, UsageError } from '../../../errors.ts';
import type { FindingQuery, StoredFinding } from '../../../findings/types.ts';
import { countToolErrors, isPartial } from '../../../findings/marks.ts';
import { toSummary } from '../../../findings/stored.ts';
import { assertBatch } from '../../../tasks/batch/progress.ts';
import { countOf } from '../../../text/plural.ts';
import { formatUsd, toNanoUsd } from '../../../pricing/money.ts';
import { FINDINGS_SHOWN } from '../../input/options.ts';
import { lineWidth, printJson, fitLine, withoutControls, toMarks, PARTIAL_MEANING } from '../../output/print.ts';
import { describePatch } from '../../output/waiting-patches.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { stringifyExact } from '../../../text/exact-json.ts';

export interface FindingsOptions {
  find?: string;
  grep?: string;
  session?: string;
  batch?: string;
  limit?: number;
  json?: boolean;
  export?: string | true;
  import?: string;
  answers?: boolean;
}

/** Does `fleet findings`. */
export async function runFindingsCommand(id: string | undefined, options: FindingsOptions): Promise<void> {
  if (options.import !== undefined) assertAlone(id, options);
  if (options.find !== undefined) assertNoOtherSearch(id, options);
  await withFleet(async (fleet) => {
    const { findings, inner } = fleet;
    if (options.import !== undefined) {
      const { importFindingsFile } = await import('./findings-transfer.ts');
      return importFindingsFile(fleet, options.import, options);
    }
    if (id !== undefined) {
      const finding = await findings.get(id.replace(/^finding:/, ''));
      if (finding === null)
        throw new NotFoundError(`finding ${id}: there is none; \`fleet findings\` lists the newest`);
      return options.json ? printJson(finding) : console.log(renderFinding(finding));
    }
    const { batch, export: target } = options;
    // An imported batch has findings, but no tasks.
    if (batch !== undefined && (await inner.db.redis.exists(inner.db.keys.indexByBatch(batch))) === 0) {
      await assertBatch(inner.db, batch);
    }
    if (options.find !== undefined) {
      const { findFindings } = await import('./findings-find.ts');
      return findFindings(findings, options.find, options);
    }
    if (target !== undefined) {
      const { exportFindings } = await import('./findings-transfer.ts');
      return exportFindings(fleet, target === true ? null : target, toQuery(options));
    }
    const found = await findings.list({ ...toQuery(options), limit: options.limit ?? FINDINGS_SHOWN });
    if (options.json) return printJson(found);
    if (found.length === 0) return console.log('No finding fits.');
    for (const finding of found) console.log(renderLine(finding));
  });
}

function toQuery({ grep, session, batch, limit, answers }: FindingsOptions): FindingQuery {
  return {
    ...(grep === undefined ? {} : { text: grep }),
    ...(session === undefined ? {} : { session }),
    ...(batch === undefined ? {} : { batch }),
    ...(limit === undefined ? {} : { limit }),
    ...(answers === true ? { answers } : {}),
  };
}

/** @throws UsageError where `--import` would ignore another option */
function assertAlone(id: string | undefined, options: FindingsOptions): void {
  const others = (['find', 'grep', 'session', 'batch', 'limit', 'export', 'answers'] as const).filter(
    (name) => options[name] !== undefined,
  );
  if (id === undefined && others.length === 0) return;
  throw new UsageError(
    `--import: takes the whole file; expected nothing beside it, got ${id ?? others.map((name) => `--${name}`).join(', ')}`,
  );
}

/** @throws UsageError where `--find` would ignore another option */
function assertNoOtherSearch(id: string | undefined, options: FindingsOptions): void {
  const others = (['grep', 'export', 'answers'] as const).filter((name) => options[name] !== undefined);
  if (id === undefined && others.length === 0) return;
  const got = id ?? others.map((name) => `--${name}`).join(', ');
  throw new UsageError(`--find: expected only --session, --batch, --limit and --json beside it, got ${got}`);
}

function renderLine(finding: StoredFinding): string {
  const cost = finding.cost === undefined ? '' : formatUsd(toNanoUsd(finding.cost), 6);
  const head = `${finding.finding_id.padEnd(26)}  ${finding.at.slice(0, 19)}Z  ${cost.padStart(9)}  `;
  const mark = toMarks(finding) + toPatchMark(finding);
  return (head + mark + fitLine(toSummary(finding), Math.max(30, lineWidth() - head.length))).trimEnd();
}

/** A patch that waits for a person is marked in a list. */
function toPatchMark({ patch }: StoredFinding): string {
  return patch?.state === 'pending' || patch?.state === 'conflict' ? `PATCH ${patch.state.toUpperCase()}  ` : '';
}

function renderFinding(finding: StoredFinding): string {
  const { usage } = finding;
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
    ['Cost', finding.cost === undefined ? undefined : formatUsd(toNanoUsd(finding.cost), 6)],
    [
      'Tokens',
      usage === undefined
        ? finding.tokens_used?.toString()
        : `${usage.input + usage.cache_write + usage.cache_read} prompt, ${usage.output} output`,
    ],
    ['Changed', finding.files_changed.join(', ')],
    ['Patch', describePatch(finding) ?? undefined],
    ['Cites', finding.citations.join(', ')],
    ['Topics', finding.topics.join(', ')],
  ];
  const lines = facts
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name.padEnd(11)}${value}`);
  const result = typeof finding.result === 'string' ? finding.result : stringifyExact(finding.result, 2);
  return [`finding:${finding.finding_id}`, ...lines, '', withoutControls(result ?? '')].join('\n');
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
