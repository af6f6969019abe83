import { createHash } from 'node:crypto';
import type { ArchiveQuery } from '../../../queues/archive.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import { PaidCalls, withPayer, type PaidReply, type Payer } from '../../ledger/paid-calls.ts';
import type { JobIdentity } from '../../ledger/types.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toQueryIds } from '../queries/enqueue.ts';
import { toBasis, type AnswerBasis } from './answer-finding.ts';
import type { ArchivePrompts } from './archive-prompts.ts';
import { NOT_IN_ARCHIVE } from './prompt.ts';
import { recordAnswer, type RecordParts } from './record.ts';
import { judge, type ArchiveAnswer } from './reply.ts';
import { serve, type QueryRun } from './serve.ts';
import type { RoutingParts } from './shard-router.ts';
import { QUERY_TURN } from './types.ts';
import { startOf } from '../../text/start-of.ts';

export interface QueryHandlerParts {
  prompts: ArchivePrompts;
  routing: RoutingParts;
  recording: RecordParts;
  /** The prices and model name of a query for which no model was asked. */
  payer: Payer;
  currentSession(): Promise<string>;
}

export type QueryHandler = (query: ArchiveQuery, run: JobRun) => Promise<{ findingId: string; costNanoUsd: number }>;

/** So much of a rejected reply is in the query's log, UTF-16 code units. */
const LOGGED_REPLY = 16_000;

/** A reply as it is stored, with all that a later run needs to answer from it. */
interface KeptReply {
  reply: ArchiveReply;
  basis: AnswerBasis;
  /** Whether the fallback's prices apply. */
  byFallback: boolean;
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
    const { signal, isDraining } = run;
    const calls = new PaidCalls<ArchiveReply>({ ledger: recording.ledger, identity, signal, isDraining });
    const stored = await calls.readStored(QUERY_TURN, payer);
    if (stored.kind === 'done') return { findingId, costNanoUsd: 0 };
    const queryRun = { query, run, calls };
    const judged = stored.kind === 'reply' ? await replay(stored.json, query, parts) : await ask(queryRun, parts);
    await record(judged, queryRun, identity, recording);
    return { findingId, costNanoUsd: calls.totals.nanoUsd };
  };
}

/** Shows, routes and judges. A reply that is no answer is booked, and kept in the query's log. */
async function ask(queryRun: QueryRun, { prompts, routing, recording, payer }: QueryHandlerParts): Promise<Judged> {
  if (await prompts.isEmpty()) {
    const basis = { findings: 0, tokens: 0, leftOut: null, shard: null, fallback: false };
    return { answer: { text: NOT_IN_ARCHIVE, citations: [] }, basis, payer, fresh: null };
  }
  const { query, calls } = queryRun;
  const { now } = recording;
  const served = await serve(queryRun, { prompts, routing, now });
  const { paid, shard, prompt } = served;
  const basis = toBasis(served, routing.estimate);
  const kept = { reply: paid.reply, basis, byFallback: shard === null };
  try {
    const answer = judge(paid.reply, prompt.shown.citable, query.paper === undefined ? null : shard);
    return { answer, basis, payer: served.payer, fresh: { paid, kept } };
  } catch (error) {
    await calls.store(paid, { log: `${now().toISOString()} ${describeRejected(paid)}`, progress: null }, kept);
    throw error;
  }
}

/** Answers from a reply that an earlier run stored before it died or lost the query. It may cite what is live now. */
async function replay(
  json: string,
  query: ArchiveQuery,
  { prompts, routing, payer }: QueryHandlerParts,
): Promise<Judged> {
  const { reply, basis, byFallback } = JSON.parse(json) as KeptReply;
  const citable = await prompts.readCitable(query);
  const answer = judge(reply, citable, query.paper === undefined ? null : basis.shard);
  return { answer, basis, payer: (byFallback ? routing.fallback?.payer : null) ?? payer, fresh: null };
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
  const { question, filter = {} } = query;
  return {
    jobId,
    token: run.token,
    attempt: run.job.attemptsMade,
    digest: createHash('sha256')
      .update(JSON.stringify([question, filter]))
      .digest('hex')
      .slice(0, 16),
    findingId: query.finding_id ?? toQueryIds(jobId).findingId,
    session,
    batch: query.batch ?? null,
    missionId: query.mission_id ?? null,
    budgetNanoUsd: null,
  };
}
