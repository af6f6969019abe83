import { createHash } from 'node:crypto';
import type { ArchiveQuery } from '../../../queues/archive.ts';
import { LockLostError, TaskFailedError } from '../../errors.ts';
import type { JobRun } from '../../jobs/worker/run-worker.ts';
import { formatUsd } from '../../pricing/money.ts';
import type { Booking, TaskIdentity, TurnLedger } from '../../ledger/types.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';
import type { ArchiveReply } from '../../models/archive-model.ts';
import type { ArchiveContext, ShownContext } from '../archive/context.ts';
import { recordAnswer, toAnswerFinding, type AnswerBasis } from './record.ts';
import { askShards, type ComposedPrompt, type PaperRules, type Served, type ShardParts } from './shard-router.ts';
import { describeFilter, NOT_IN_ARCHIVE, REPLY_SCHEMA, SYSTEM, toPrompt } from './prompt.ts';
import { openQueryBooks, type Payer, type QueryBooks } from './query-books.ts';
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
    const identity = toIdentity(query, run, parts.payer, query.session ?? (await parts.currentSession()));
    const books = openQueryBooks(parts.ledger, identity);
    const answering = new Answering(query, run, books, parts);
    const begun = await books.open();
    if (begun.kind === 'done') return { findingId: identity.findingId, costNanoUsd: 0 };
    if (begun.kind === 'reply') await answering.replay(begun.json);
    else await answering.ask();
    return { findingId: identity.findingId, costNanoUsd: books.totals().nanoUsd };
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
  readonly #books: QueryBooks;
  readonly #parts: QueryHandlerParts;

  constructor(query: ArchiveQuery, run: JobRun, books: QueryBooks, parts: QueryHandlerParts) {
    this.#query = query;
    this.#run = run;
    this.#books = books;
    this.#parts = parts;
  }

  async ask(): Promise<void> {
    const { context } = this.#parts;
    await context.refresh();
    if (context.stats().findings === 0) return this.#answerFromNothing();
    const served = await askShards(
      {
        books: this.#books,
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

  /** An earlier run was paid a reply and lost the query before it could record it. */
  async replay(json: string): Promise<void> {
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

  async #answerFrom({ reply, payer, reservation, shard, composed }: Served): Promise<void> {
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
    const booking = this.#books.toBooking(payer, reservation, reply.usage);
    let answer: ArchiveAnswer;
    try {
      answer = this.#judge(reply, shown.citable, shard);
    } catch (error) {
      await this.#keepBadReply(payer, booking, kept);
      throw error;
    }
    try {
      await this.#record(payer, answer, basis, booking);
    } catch (error) {
      if (error instanceof LockLostError) await this.#books.keep(kept);
      throw error;
    }
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

  async #record(payer: Payer, answer: ArchiveAnswer, basis: AnswerBasis, booking: Booking | null): Promise<void> {
    const { workerId, now } = this.#parts;
    const identity = this.#books.identity(payer);
    const { entry } = payer;
    const finding = toAnswerFinding({
      identity,
      query: this.#query,
      answer,
      basis,
      booking,
      totals: this.#books.totals(),
      vendor: entry.vendor,
      workerId,
      at: now(),
    });
    const by =
      basis.shard === null ? (basis.fallback ? entry.id : 'nobody: the archive is empty') : `shard ${basis.shard}`;
    const log = `${finding.at} answered from ${basis.findings} findings, ${basis.tokens} tokens, by ${by} (${formatUsd(booking?.nanoUsd ?? 0, 6)}, ${workerId})`;
    const recorded = await recordAnswer(this.#parts, {
      identity,
      finding,
      booking,
      publicQueryId: this.#query.public === true ? (this.#query.query_id ?? null) : null,
      log,
    });
    if (recorded === 'lock-lost') throw new LockLostError(`another librarian has query ${identity.jobId}`);
    if (recorded === 'taken') {
      throw new TaskFailedError('finding-taken', `finding ${identity.findingId} belongs to something else`);
    }
  }

  /** The reply stays readable in the job's log and its stored turns; it is never an answer. */
  async #keepBadReply(payer: Payer, booking: Booking, kept: KeptReply): Promise<void> {
    const { reply } = kept;
    const text = reply.text.slice(0, KEPT_REPLY);
    const line = `${this.#parts.now().toISOString()} no answer (${reply.finishWords}, ${formatUsd(booking.nanoUsd, 6)}): ${text}`;
    await this.#books.settle(payer, booking, kept, line);
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

function toIdentity(query: ArchiveQuery, run: JobRun, payer: Payer, session: string): TaskIdentity {
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
    model: payer.entry.id,
    costVendor: payer.entry.costVendor,
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
