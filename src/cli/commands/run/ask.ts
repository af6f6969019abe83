import { hasArchive } from '../../../config/model-rows/archive-route.ts';
import { countOf } from '../../../text/plural.ts';
import type { ArchiveFilter } from '../../../../queues/archive.ts';
import { SwarmRefusedError } from '../../../errors.ts';
import { toSummary } from '../../../findings/stored.ts';
import { type StoredFinding } from '../../../findings/types.ts';
import { assertSameWords } from '../../../jobs/same-words.ts';
import { waitForJob } from '../../../jobs/state/wait-for-job.ts';
import { describeThere } from '../../follow/there-already.ts';
import { assertWaits, toSameCommand, waitInTime } from '../../follow/wait-timeout.ts';
import { formatUsd, toNanoUsd } from '../../../pricing/money.ts';
import type { AskOptions } from '../../../api/types.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { describeCost, lineWidth, printJson, fitLine, toMarks } from '../../output/print.ts';
import { warnWithoutLibrarian } from '../../output/warnings.ts';
import { assertMeant } from '../../input/meant-words.ts';
import { toSince } from '../../input/since.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { stringifyExact } from '../../../text/exact-json.ts';

export interface AskCommandOptions {
  session?: string;
  mission?: string;
  batch?: string;
  topic?: string;
  context?: string;
  shard?: string;
  since?: string;
  swarm?: string;
  queryId?: string;
  fallback: boolean;
  wait?: boolean;
  timeout?: number;
  json?: boolean;
}

/** Does `fleet ask`. */
export async function runAskCommand(question: string, options: AskCommandOptions): Promise<void> {
  assertWaits('ask', options.timeout, options.wait === true);
  toAskOptions(options, Date.now()); // a wrong option is named before Redis is asked
  await assertMeant(question, {
    command: 'ask',
    as: 'a question',
    effect: 'answering it uses a call of the day',
    instead: ['fleet findings --answers', 'fleet findings ID', 'fleet limits'],
  });
  await withFleet(async (fleet) => {
    const asked = toAskOptions(options, fleet.inner.db.clock.now());
    if (!hasArchive(fleet.inner.config)) {
      console.error(
        'No shard is configured here (GEMINI_API_KEY_SHARD1): the question waits for a librarian elsewhere.',
      );
    }
    const { id, queryId, findingId, added, state } = await fleet.ask(question, asked);
    if (!added) await assertSameWords(fleet.inner.db, 'archive', { id, findingId, words: question });
    const there = added ? '' : await describeThere(fleet.inner.db, 'archive', { id, state }, queryId);
    if (!options.wait) {
      if (options.json) return printJson({ id, query_id: queryId, finding_id: findingId, added, state });
      console.log(added ? `Asked ${queryId}` : `${there}; nothing was asked`);
      return console.log(`  its answer: fleet findings ${findingId}`);
    }
    if (!options.json) console.error(added ? `Asked ${queryId}, waiting` : there);
    if (state !== 'completed' && state !== 'failed') await warnWithoutLibrarian(fleet);
    const limits = { timeout: options.timeout, again: toSameCommand('--query-id', queryId), id };
    const answer = await waitInTime(limits, (say) => waitForAnswer(fleet, { id, findingId }, say));
    if (options.json) return printJson(answer);
    console.log(await renderAnswer(fleet, answer));
  });
}

/** @throws UsageError for a time that cannot be parsed */
function toAskOptions(options: AskCommandOptions, now: number): AskOptions {
  const { session, mission, batch, topic, since, swarm, context, shard, queryId, fallback } = options;
  const filter: ArchiveFilter = {
    ...(session === undefined ? {} : { session }),
    ...(mission === undefined ? {} : { mission_id: mission }),
    ...(batch === undefined ? {} : { batch }),
    ...(topic === undefined ? {} : { topic }),
    ...(since === undefined ? {} : { since: new Date(toSince(since, now)).toISOString() }),
    ...(swarm === undefined ? {} : { swarm }),
  };
  return {
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
    ...(context === undefined ? {} : { context }),
    ...(shard === undefined ? {} : { shard }),
    ...(queryId === undefined ? {} : { queryId }),
    ...(fallback ? {} : { allow_fallback: false }),
    requester: 'fleet ask',
  };
}

/** Waits for the answer. Prints why the query waits for a shard, once a wait. */
async function waitForAnswer(
  { inner, findings }: OpenFleet,
  { id, findingId }: { id: string; findingId: string },
  say: (line: string) => void,
): Promise<StoredFinding> {
  const { db } = inner;
  const { onlyChanges } = await import('../../output/progress.ts');
  const sayWhy = onlyChanges((why) => say(fitLine(why, lineWidth())));
  return waitForJob({ db, queue: 'archive', findings, say }, id, findingId, ({ why }) => sayWhy(why));
}

async function renderAnswer({ findings }: OpenFleet, answer: StoredFinding): Promise<string> {
  const text = typeof answer.result === 'string' ? answer.result : stringifyExact(answer.result);
  const sources = await Promise.all(
    answer.citations.map(async (id) =>
      id.startsWith('context:') ? `  ${id}${toVersion(answer)}` : renderSource(id, await readSource(findings, id)),
    ),
  );
  const cost = describeCost(answer) ?? formatUsd(0, 6);
  const list: unknown = Reflect.get(answer, 'list_cost');
  const context: unknown = Reflect.get(answer, 'context');
  const shown = typeof context === 'object' && context !== null ? Number(Reflect.get(context, 'findings')) : 0;
  const free = typeof list === 'number' && list > 0 ? ` (free; list price ${formatUsd(toNanoUsd(list), 6)})` : '';
  return [
    text,
    ...(sources.length === 0 ? [] : ['', 'Sources:', ...sources]),
    '',
    `${answer.finding_id}  from ${countOf(shown, 'finding')}, ${answer.model ?? 'no model'}, ${cost}${free}`,
  ].join('\n');
}

/** The version of the document that was asked, as `fleet context ls` shows it. */
function toVersion(answer: StoredFinding): string {
  const sha256: unknown = Reflect.get(
    Object(Reflect.get(Object(Reflect.get(answer, 'context')), 'document')),
    'sha256',
  );
  return typeof sha256 === 'string' ? `  version ${sha256.slice(0, 12)}` : '';
}

/** @returns why, where it is of another swarm that cannot be read now */
async function readSource(
  findings: OpenFleet['findings'],
  id: string,
): Promise<StoredFinding | null | SwarmRefusedError> {
  try {
    return await findings.get(id);
  } catch (error) {
    if (error instanceof SwarmRefusedError) return error;
    throw error;
  }
}

/** One source: its id, date, session and first line. */
function renderSource(id: string, source: StoredFinding | null | SwarmRefusedError): string {
  if (source instanceof SwarmRefusedError) return `  ${id}  (${source.message})`;
  if (source === null) return `  ${id}  (no longer there)`;
  const mark = toMarks(source);
  const head = `  ${id}  ${source.at.slice(0, 16).replace('T', ' ')}  ${source.session ?? '–'}  ${mark}`;
  return (head + fitLine(toSummary(source), Math.max(30, lineWidth() - head.length))).trimEnd();
}
