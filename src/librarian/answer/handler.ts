import { createHash } from 'node:crypto';
import type { ArchiveQuery } from '../../../queues/archive.ts';
import { TaskFailedError } from '../../errors.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import { formatUsd } from '../../pricing/money.ts';
import { PaidCalls, withPayer, type PaidReply, type Payer } from '../../ledger/paid-calls.ts';
import type { JobIdentity, TurnLedger } from '../../ledger/types.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import type { ArchiveContext, ShownContext } from '../archive/context.ts';
import { recordAnswer, toAnswerFinding, type AnswerBasis } from './record.ts';
import {
  askShards,
  QUERY_TURN,
  type ComposedPrompt,
  type PaperRules,
  type Served,
  type ShardParts,
} from './shard-router.ts';
import { describeFilter, NOT_IN_ARCHIVE, REPLY_SCHEMA, SYSTEM, toPrompt } from './prompt.ts';
import { toQueryIds } from '../queries/enqueue.ts';
import type { Db } from '../../redis/db.ts';
import { toAnswer, type ArchiveAnswer } from './reply.ts';

export interface QueryHandlerParts extends ShardParts {
  db: Db;
  ledger: TurnLedger;
  context: ArchiveContext;
  /** Whose prices and name a query has that no model was asked for. */
  payer: Payer;
  workerId: string;
  currentSession(): Promise<string>;
  now(): Date;
}

/** Longest answer, tokens, thinking included. */
const MAX_REPLY_TOKENS = 8_192;
/** Of a reply that is no answer, so much is kept in the job's log. UTF-16 code units. */
const KEPT_REPLY = 16_000;
/** … and so much stands in the failed reason. */
const SHOWN_REPLY = 300;

const SYSTEM_BYTES = Buffer.byteLength(SYSTEM);

export type QueryHandler = (query: ArchiveQuery, run: JobRun) => Promise<{ findingId: string; costNanoUsd: number }>;

/**
 * Answers one query: shows the archive to a model, checks what it says, records the answer.
 *
 * Delivery contract: a run may die at any line. An answer is recorded once; a reply that was stored is not paid for again.
 */
export function createQueryHandler(parts: QueryHandlerParts): QueryHandler {
  return async (query, run) => {
    const identity = toIdentity(query, run, query.session ?? (await parts.currentSession()));
    const answering = new Answering(query, run, identity, parts);
    return { findingId: identity.findingId, costNanoUsd: await answering.run() };
  };
}

/** A reply with what must be known about it to answer from it later, should this process die now. */
interface KeptReply {
  reply: ArchiveReply;
  basis: AnswerBasis;
  /** Whether the fallback's prices hold. */
  byFallback: boolean;
}

class Answering {
  readonly #query: ArchiveQuery;
  readonly #run: JobRun;
  readonly #identity: JobIdentity;
  readonly #calls: PaidCalls<ArchiveReply>;
  readonly #parts: QueryHandlerParts;

  constructor(query: ArchiveQuery, run: JobRun, identity: JobIdentity, parts: QueryHandlerParts) {
    const { signal, isDraining } = run;
    this.#query = query;
    this.#run = run;
    this.#identity = identity;
    this.#calls = new PaidCalls({ ledger: parts.ledger, identity, signal, isDraining });
    this.#parts = parts;
  }

  /** @returns what the query has cost, nano-dollars; 0 where its answer was recorded already */
  async run(): Promise<number> {
    const stored = await this.#calls.readStored(QUERY_TURN, this.#parts.payer);
    if (stored.kind === 'done') return 0;
    if (stored.kind === 'reply') await this.#replay(stored.json);
    else await this.#ask();
    return this.#calls.totals.nanoUsd;
  }

  async #ask(): Promise<void> {
    const { context } = this.#parts;
    await context.refresh();
    if (context.stats().findings === 0) return this.#answerFromNothing();
    const served = await askShards(
      {
        calls: this.#calls,
        signal: this.#run.signal,
        isDraining: this.#run.isDraining,
        allowFallback: this.#query.allow_fallback ?? true,
        ...this.#paperRules(),
        compose: (maxTokens) => this.#compose(maxTokens),
        note: async (line) => void (await this.#run.job.log(`${this.#parts.now().toISOString()} ${line}`)),
      },
      this.#parts,
    );
    await this.#answerFrom(served);
  }

  #paperRules(): { paper?: PaperRules } {
    const { paper, shard_failure: failure = null } = this.#query;
    if (paper === undefined) return {};
    const { job } = this.#run;
    const keepFailure: PaperRules['keepFailure'] = (next) =>
      job.updateData({ ...(job.data as object), shard_failure: next });
    return { paper: { exclude: paper.exclude ?? [], failure, keepFailure } };
  }

  /** Answers from the reply of an earlier run, which stored it and died, or lost the query, before it recorded the answer. */
  async #replay(json: string): Promise<void> {
    const { reply, basis, byFallback } = JSON.parse(json) as KeptReply;
    await this.#parts.context.refresh();
    // What is live now is all that may be cited, also by a reply of before.
    const { citable } = await this.#show(Number.MAX_SAFE_INTEGER);
    const payer = byFallback ? (this.#parts.fallback?.payer ?? this.#parts.payer) : this.#parts.payer;
    await this.#record(payer, this.#judge(reply, citable, basis.shard), basis, null);
  }

  async #compose(maxTokens: number): Promise<ComposedPrompt> {
    const { context, estimate } = this.#parts;
    await context.refresh();
    const { question } = this.#query;
    const bytesAround = SYSTEM_BYTES + Buffer.byteLength(toPrompt('', question));
    const shown = await this.#show(estimate.toBytes(maxTokens) - bytesAround);
    if (shown.ids.size === 0) throw this.#toNoEvidence(shown, maxTokens);
    return {
      request: {
        system: SYSTEM,
        prompt: toPrompt(shown.text, question),
        maxTokens: MAX_REPLY_TOKENS,
        responseSchema: REPLY_SCHEMA,
      },
      bytes: shown.bytes + bytesAround,
      shown,
    };
  }

  #show(maxBytes: number): Promise<ShownContext> {
    const { question, filter } = this.#query;
    return this.#parts.context.show({ question, filter, maxBytes });
  }

  async #answerFrom({ paid, payer, shard, composed }: Served): Promise<void> {
    const { reply } = paid;
    const { estimate } = this.#parts;
    const { shown } = composed;
    const basis: AnswerBasis = {
      findings: shown.ids.size,
      tokens: toPromptTokens(reply.usage),
      leftOut: shown.leftOut && { findings: shown.leftOut.count, tokens: estimate.toTokens(shown.leftOut.bytes) },
      shard,
      fallback: shard === null,
    };
    const kept: KeptReply = { reply, basis, byFallback: shard === null };
    let answer: ArchiveAnswer;
    try {
      answer = this.#judge(reply, shown.citable, shard);
    } catch (error) {
      await this.#keepBadReply(paid, kept);
      throw error;
    }
    await this.#record(payer, answer, basis, { paid, kept });
  }

  /** @throws TaskFailedError with the reply, and under a paper's question the shard whose it is */
  #judge(reply: ArchiveReply, citable: ReadonlySet<string>, shard: number | null): ArchiveAnswer {
    try {
      return toAnswer(reply, citable);
    } catch (error) {
      throw error instanceof TaskFailedError ? withReply(error, reply, this.#query.paper && shard) : error;
    }
  }

  async #answerFromNothing(): Promise<void> {
    const basis = { findings: 0, tokens: 0, leftOut: null, shard: null, fallback: false };
    await this.#record(this.#parts.payer, { text: NOT_IN_ARCHIVE, citations: [] }, basis, null);
  }

  /** @param fresh the new reply that the answer was drawn from, and what a later run is to find of it; null: no new one */
  async #record(
    payer: Payer,
    answer: ArchiveAnswer,
    basis: AnswerBasis,
    fresh: { paid: PaidReply<ArchiveReply>; kept: KeptReply } | null,
  ): Promise<void> {
    const { workerId, now } = this.#parts;
    const identity = withPayer(this.#identity, payer);
    const booking = fresh === null ? null : fresh.paid.booking;
    const { entry } = payer;
    const finding = toAnswerFinding({
      identity,
      query: this.#query,
      answer,
      basis,
      booking,
      totals: this.#calls.totals,
      vendor: entry.vendor,
      workerId,
      at: now(),
    });
    const by =
      basis.shard === null ? (basis.fallback ? entry.id : 'nobody: the archive is empty') : `shard ${basis.shard}`;
    const log = `${finding.at} answered from ${basis.findings} findings, ${basis.tokens} tokens, by ${by} (${formatUsd(booking?.nanoUsd ?? 0, 6)}, ${workerId})`;
    const publicQueryId = this.#query.public === true ? (this.#query.query_id ?? null) : null;
    await this.#calls.record(
      fresh === null ? null : fresh.paid,
      () => recordAnswer(this.#parts, { identity, finding, booking, publicQueryId, log }),
      fresh?.kept,
    );
  }

  /** The reply stays readable in the job's log and its stored turns; it is never an answer. */
  async #keepBadReply(paid: PaidReply<ArchiveReply>, kept: KeptReply): Promise<void> {
    const { reply, booking } = paid;
    const text = reply.text.slice(0, KEPT_REPLY);
    const log = `${this.#parts.now().toISOString()} no answer (${reply.finishWords}, ${formatUsd(booking?.nanoUsd ?? 0, 6)}): ${text}`;
    await this.#calls.store(paid, { log, progress: null }, kept);
  }

  #toNoEvidence(shown: ShownContext, maxTokens: number): TaskFailedError {
    const filter = describeFilter(this.#query.filter);
    if (shown.leftOut !== null) {
      return new TaskFailedError('no-evidence', `no finding fits into a prompt of ${maxTokens} tokens`);
    }
    const { findings } = this.#parts.context.stats();
    return new TaskFailedError(
      'no-evidence',
      `no finding fits the filter ${filter}; the archive holds ${findings.toLocaleString('en-US')}`,
    );
  }
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

/**
 * The failed reason ends with the reply's beginning; the whole of it is in the job's log.
 * @param shard whose reply it is, where that must be said
 */
function withReply(error: TaskFailedError, reply: ArchiveReply, shard?: number | null): TaskFailedError {
  const message = shard === undefined || shard === null ? error.message : `shard ${shard}: ${error.message}`;
  const text = reply.text.replaceAll(/\s+/g, ' ').trim();
  const shown = text.length <= SHOWN_REPLY ? text : `${text.slice(0, SHOWN_REPLY)}…`;
  return new TaskFailedError(error.reason, text === '' ? message : `${message}; the reply: ${shown}`, { cause: error });
}
