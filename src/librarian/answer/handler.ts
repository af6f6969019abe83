import { createHash } from 'node:crypto';
import type { ArchiveQuery } from '../../../queues/archive.ts';
import { toOwner } from '../../../queues/owner.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import { PaidCalls, withPayer } from '../../ledger/calls/paid-calls.ts';
import type { PaidReply, Payer } from '../../ledger/calls/reserved-call.ts';
import type { JobIdentity } from '../../ledger/types.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import { parseForeignId } from '../../other-swarms/foreign-id.ts';
import { toMessage } from '../../errors.ts';
import type { Transcripts } from '../../run-record/transcripts/transcripts.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toQueryIds } from '../queries/enqueue.ts';
import type { ShownContext } from '../archive/context.ts';
import { toBasis, type AnswerBasis } from './answer-finding.ts';
import type { ArchivePrompts } from './archive-prompts.ts';
import { NOT_IN_ARCHIVE } from './prompt.ts';
import { recordAnswer, type RecordParts } from './record.ts';
import { judge, type ArchiveAnswer } from './reply.ts';
import { serve, type QueryRun } from './serve.ts';
import type { RoutingParts } from './shard-router.ts';
import { QUERY_TURN, type ServedCall } from './types.ts';
import { startOf } from '../../text/start-of.ts';

export interface QueryHandlerParts {
  prompts: ArchivePrompts;
  routing: RoutingParts;
  recording: RecordParts;
  /** The prices and model name of a query for which no model was asked. */
  payer: Payer;
  currentSession(): Promise<string>;
  /** Writes prompts and replies to files. Absent or null: none are written. */
  transcripts?: Transcripts | null;
}

export type QueryHandler = (query: ArchiveQuery, run: JobRun) => Promise<{ findingId: string; costNanoUsd: number }>;

/** So much of a rejected reply is in the query's log, UTF-16 code units. */
const LOGGED_REPLY = 16_000;

/** A reply as it is stored, with all that a later run needs to answer from it. */
interface KeptReply {
  reply: ArchiveReply;
  basis: AnswerBasis;
  /** Whether a model besides the shards answered. */
  byFallback: boolean;
  /** Which one. Absent: a shard's, or the only one that there was in an older version. */
  by?: string;
  /** Ids of other swarms' findings that it names and was shown. Absent: none. */
  foreign?: string[];
}

/** An answer that was checked and is not recorded yet. */
interface Judged {
  answer: ArchiveAnswer;
  basis: AnswerBasis;
  payer: Payer;
  /** The new reply; null: an earlier run stored the reply, or no model was asked. */
  fresh: { paid: PaidReply<ArchiveReply>; kept: KeptReply } | null;
}

/**
 * Answers one query in four steps: show the archive, route the prompt to a model, judge its reply, record the answer.
 *
 * Delivery contract: a run may die at any line. An answer is recorded once; a stored reply is not paid for again.
 */
export function createQueryHandler(parts: QueryHandlerParts): QueryHandler {
  const { recording, payer, currentSession } = parts;
  return async (query, run) => {
    const identity = toIdentity(query, run, query.session ?? (await currentSession()));
    const { findingId } = identity;
    const { signal, isDraining, place } = run;
    const calls = new PaidCalls<ArchiveReply>({ ledger: recording.ledger, identity, signal, isDraining, place });
    const stored = await calls.readStored(QUERY_TURN, payer);
    if (stored.kind === 'done') return { findingId, costNanoUsd: 0 };
    const queryRun = { query, run, calls };
    const judged = stored.kind === 'reply' ? await replay(stored.json, query, parts) : await ask(queryRun, parts);
    await record(judged, queryRun, identity, recording);
    return { findingId, costNanoUsd: calls.totals.nanoUsd };
  };
}

/** Shows, routes and judges. A reply that is no answer is booked, and kept in the query's log. */
async function ask(queryRun: QueryRun, parts: QueryHandlerParts): Promise<Judged> {
  const { prompts, routing, recording, payer } = parts;
  if (await prompts.isEmpty(queryRun.query)) {
    const basis = { findings: 0, tokens: 0, leftOut: null, shard: null, fallback: false };
    return { answer: { text: NOT_IN_ARCHIVE, citations: [] }, basis, payer, fresh: null };
  }
  const { query, calls } = queryRun;
  const { now } = recording;
  const served = await serve(queryRun, { prompts, routing, now });
  const { paid, shard, prompt } = served;
  transcribe(parts, queryRun, served);
  const basis = toBasis(served, routing.estimate);
  const kept = {
    reply: paid.reply,
    basis,
    byFallback: shard === null,
    by: served.payer.entry.id,
    ...toForeign(paid.reply, prompt.shown),
  };
  try {
    const answer = judge(paid.reply, prompt.shown.citable, query.paper === undefined ? null : shard);
    return { answer, basis, payer: served.payer, fresh: { paid, kept } };
  } catch (error) {
    await calls.store(paid, { log: `${now().toISOString()} ${describeRejected(paid)}`, progress: null }, kept);
    throw error;
  }
}

/** For people: the answer, which is paid for, does not wait for the disk. */
function transcribe(
  { transcripts, recording: { now } }: QueryHandlerParts,
  { run: { job } }: QueryRun,
  { paid, payer, prompt }: ServedCall,
): void {
  const { system, prompt: text } = prompt.request;
  const call = { model: payer.entry.id, prompt: { system, prompt: text }, reply: paid.reply };
  transcripts
    ?.write(job.id ?? '', now(), call)
    .catch((error: unknown) => job.log(`${now().toISOString()} its transcript cannot be written: ${toMessage(error)}`))
    .catch(() => undefined); // the log is for people, too
}

/** Answers from a reply that an earlier run stored before it died or lost the query. It may cite what is live now. */
async function replay(
  json: string,
  query: ArchiveQuery,
  { prompts, routing, payer }: QueryHandlerParts,
): Promise<Judged> {
  const { reply, basis, byFallback, by, foreign } = JSON.parse(json) as KeptReply;
  const citable = await prompts.readCitable(query, basis.document ?? null, foreign);
  const answer = judge(reply, citable, query.paper === undefined ? null : basis.shard);
  return { answer, basis, payer: (byFallback ? findPayer(routing, by) : null) ?? payer, fresh: null };
}

function findPayer({ chain }: RoutingParts, id: string | undefined): Payer | undefined {
  const models = chain.filter((member) => member !== 'shards');
  return (models.find(({ payer }) => payer.entry.id === id) ?? models.at(-1))?.payer;
}

/** What a replay may cite, also when the other swarm is gone by then. */
function toForeign({ text }: ArchiveReply, { citable, swarms }: ShownContext): Pick<KeptReply, 'foreign'> {
  if (swarms === undefined) return {};
  return { foreign: [...citable].filter((id) => parseForeignId(id) !== null && text.includes(id)) };
}

async function record(
  { answer, basis, payer, fresh }: Judged,
  { query, calls }: QueryRun,
  job: JobIdentity,
  recording: RecordParts,
): Promise<void> {
  const paid = fresh?.paid ?? null;
  const identity = withPayer(job, payer);
  const booking = paid?.booking ?? null;
  await calls.record(
    paid,
    () =>
      recordAnswer(recording, { query, identity, answer, basis, entry: payer.entry, booking, totals: calls.totals }),
    fresh?.kept,
  );
}

function describeRejected({ reply, booking }: PaidReply<ArchiveReply>): string {
  const cost = formatUsd(booking?.nanoUsd ?? 0, 6);
  return `no answer (${reply.finishWords}, ${cost}): ${startOf(reply.text, LOGGED_REPLY)}`;
}

function toIdentity(query: ArchiveQuery, run: JobRun, session: string): JobIdentity {
  const jobId = run.job.id ?? '';
  const { question, filter = {}, shard, context } = query;
  return {
    jobId,
    token: run.token,
    attempt: run.job.attemptsMade,
    addedAt: run.job.timestamp,
    digest: createHash('sha256')
      .update(JSON.stringify([question, filter, ...[shard, context].filter((name) => name !== undefined)]))
      .digest('hex')
      .slice(0, 16),
    findingId: query.finding_id ?? toQueryIds(jobId).findingId,
    session,
    batch: query.batch ?? null,
    missionId: query.mission_id ?? null,
    ...toOwner(query),
    budgetNanoUsd: null,
    record: run.record,
  };
}
