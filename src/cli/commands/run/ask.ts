import { countOf } from '../../../text/plural.ts';
import type { ArchiveFilter } from '../../../../queues/archive.ts';
import { UsageError } from '../../../errors.ts';
import { toSummary } from '../../../findings/stored.ts';
import { type StoredFinding } from '../../../findings/types.ts';
import { waitForJob } from '../../../jobs/state/wait-for-job.ts';
import { formatUsd, toNanoUsd } from '../../../pricing/money.ts';
import type { AskOptions } from '../../../api/types.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { lineWidth, printJson, fitLine, withoutControls, toMarks } from '../../output/print.ts';
import { warnWithoutLibrarian } from '../../output/warnings.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { stringifyExact } from '../../../text/exact-json.ts';

export interface AskCommandOptions {
  session?: string;
  mission?: string;
  batch?: string;
  topic?: string;
  since?: string;
  queryId?: string;
  fallback: boolean;
  wait?: boolean;
  json?: boolean;
}

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };

/** Does `fleet ask`. */
export async function runAskCommand(question: string, options: AskCommandOptions): Promise<void> {
  const asked = toAskOptions(options);
  await withFleet(async (fleet) => {
    if (fleet.inner.config.shards.length === 0) {
      console.error(
        'No shard is configured here (GEMINI_API_KEY_SHARD1): the question waits for a librarian elsewhere.',
      );
    }
    const { id, queryId, findingId, added, state } = await fleet.ask(question, asked);
    if (!options.wait) {
      if (options.json) return printJson({ id, query_id: queryId, finding_id: findingId, added, state });
      console.log(added ? `Asked ${queryId}` : `${queryId} is there already: ${state}; nothing was asked`);
      return console.log(`  its answer: fleet findings ${findingId}`);
    }
    if (!options.json) console.error(added ? `Asked ${queryId}, waiting` : `${queryId} is there already: ${state}`);
    if (state !== 'completed' && state !== 'failed') await warnWithoutLibrarian(fleet);
    const answer = await waitForAnswer(fleet, id, findingId);
    if (options.json) return printJson(answer);
    console.log(await renderAnswer(fleet, answer));
  });
}

/** @throws UsageError for a time that cannot be parsed */
function toAskOptions(options: AskCommandOptions): AskOptions {
  const { session, mission, batch, topic, since, queryId, fallback } = options;
  const filter: ArchiveFilter = {
    ...(session === undefined ? {} : { session }),
    ...(mission === undefined ? {} : { mission_id: mission }),
    ...(batch === undefined ? {} : { batch }),
    ...(topic === undefined ? {} : { topic }),
    ...(since === undefined ? {} : { since: toInstant(since, Date.now()) }),
  };
  return {
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
    ...(queryId === undefined ? {} : { queryId }),
    ...(fallback ? {} : { allow_fallback: false }),
    requester: 'fleet ask',
  };
}

function toInstant(text: string, now: number): string {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const sinceMs = count === undefined ? Date.parse(text) : now - Number(count) * (UNITS[unit] ?? 0);
  if (!Number.isNaN(sinceMs) && Math.abs(sinceMs) < 8.64e15) return new Date(sinceMs).toISOString();
  throw new UsageError(`--since: expected a date, an ISO instant, or 90m, 12h, 7d, got ${JSON.stringify(text)}`);
}

/** Waits for the answer. Prints why the query waits for a shard, once a wait. */
async function waitForAnswer({ inner, findings }: OpenFleet, jobId: string, findingId: string): Promise<StoredFinding> {
  const { db, queues } = inner;
  let last = '';
  const printWait = async (): Promise<void> => {
    const { logs } = await queues.archive.getJobLogs(jobId, 0, 0, false);
    const line = logs[0] ?? '';
    if (line === last) return;
    last = line;
    console.error(fitLine(line, lineWidth()));
  };
  return waitForJob({ db, queue: 'archive', findings }, jobId, findingId, (state) => {
    if (state === 'delayed') void printWait().catch(() => undefined);
  });
}

async function renderAnswer({ findings }: OpenFleet, answer: StoredFinding): Promise<string> {
  const text = typeof answer.result === 'string' ? answer.result : stringifyExact(answer.result);
  const sources = await Promise.all(answer.citations.map(async (id) => renderSource(id, await findings.get(id))));
  const cost = formatUsd(toNanoUsd(answer.cost ?? 0), 6);
  const list: unknown = Reflect.get(answer, 'list_cost');
  const context: unknown = Reflect.get(answer, 'context');
  const shown = typeof context === 'object' && context !== null ? Number(Reflect.get(context, 'findings')) : 0;
  const free = typeof list === 'number' && list > 0 ? ` (free; list price ${formatUsd(toNanoUsd(list), 6)})` : '';
  return [
    withoutControls(text),
    ...(sources.length === 0 ? [] : ['', 'Sources:', ...sources]),
    '',
    `${answer.finding_id}  from ${countOf(shown, 'finding')}, ${answer.model ?? 'no model'}, ${cost}${free}`,
  ].join('\n');
}

/** One source: its id, date, session and first line. */
function renderSource(id: string, source: StoredFinding | null): string {
  if (source === null) return `  ${id}  (no longer there)`;
  const mark = toMarks(source);
  const head = `  ${id}  ${source.at.slice(0, 16).replace('T', ' ')}  ${source.session ?? '–'}  ${mark}`;
  return (head + fitLine(toSummary(source), Math.max(30, lineWidth() - head.length))).trimEnd();
}
