import type Anthropic from '@anthropic-ai/sdk';
import { FleetError, ShutdownError, TaskFailedError, toMessage } from '../../errors.ts';
import { Conversation } from '../../haiku/conversation.ts';
import { formatUsd } from '../../pricing/money.ts';
import { costNanoUsd, worstCaseNanoUsd } from '../../pricing/cost.ts';
import type { Booking, JobTotals, TaskIdentity, TurnLedger } from '../../ledger/types.ts';
import { addUsage, NO_USAGE, toTotalTokens } from '../../pricing/tokens.ts';
import { findModel, type CatalogEntry } from '../../pricing/catalog.ts';
import type { Model, ModelReply, ModelRequest } from '../../models/model.ts';
import { lockLost, toRefusalError } from '../../ledger/refusals.ts';
import type { AskStructured, Checked, StructuredCall } from './types.ts';

export interface StructuredCallParts {
  model: Model;
  ledger: TurnLedger;
  /** Whose calls these are. An empty `token` stands for work without a job: no lock, and no job log. */
  identity: Omit<TaskIdentity, 'model' | 'costVendor'>;
  /** Fires when the run must end at once; its reason is the error to end with. */
  signal: AbortSignal;
  /** True once the process goes away: no call is begun. */
  isDraining(): boolean;
  workerId: string;
  now(): Date;
  /** Leaves a line where a person looks, such as the job's log: what was wrong with a reply, and the reply. */
  note?: (line: string) => Promise<unknown>;
}

export interface StructuredCalls {
  ask: AskStructured;
  /** What this job's calls have cost so far, over all its runs; known from the first `ask` on. */
  totals(): JobTotals;
}

/** Of a reply that does not fit, so much is kept in the log. UTF-16 code units. */
const KEPT_REPLY = 16_000;
/** … and so much stands in the failed reason. */
const SHOWN_REPLY = 300;

/**
 * The paid questions of one run of one job. One at a time: a job holds one reservation, so that several asked at once wait
 * for each other.
 *
 * Delivery contract: a process may die at any line. What was stored is answered again without a call; a call that was out
 * when the process died becomes *uncertain*, as a task's does.
 */
export function createStructuredCalls(parts: StructuredCallParts): StructuredCalls {
  const run = new StructuredRun(parts);
  let last: Promise<unknown> = Promise.resolve();
  return {
    ask(call) {
      const answer = last.then(() => run.ask(call));
      last = answer.catch(() => undefined);
      return answer;
    },
    totals: () => run.totals,
  };
}

class StructuredRun {
  readonly #parts: StructuredCallParts;
  #begun = false; // the ledger was asked once: what is stored is known
  #epoch = '';
  #stored = new Map<string, string>();
  totals: JobTotals = { nanoUsd: 0, usage: { ...NO_USAGE }, calls: 0 };

  constructor(parts: StructuredCallParts) {
    this.#parts = parts;
  }

  async ask<Value>(call: StructuredCall<Value>): Promise<Value> {
    const entry = findModel(call.model, this.#parts.now());
    const system: Anthropic.TextBlockParam[] = [{ type: 'text', text: call.system }];
    const conversation = new Conversation([system, [call.schema]], call.prompt);
    const request = (): ModelRequest => ({
      model: entry.id,
      system,
      messages: conversation.messages,
      tools: [],
      maxTokens: Math.min(entry.maxOutputTokens, call.maxTokens ?? entry.maxOutputTokens),
      outputSchema: call.schema,
      user: this.#parts.identity.jobId,
    });
    const first = await this.#answer(call.name, entry, request(), conversation.tokensBound);
    const checked = await check(call, first);
    if (checked.ok) return checked.value;
    await this.#noteProblem(call.name, checked.problem, first);
    conversation.addReply(withText(first));
    conversation.addUser([{ type: 'text', text: `<problem>\n${checked.problem}\n</problem>` }]);
    const second = await this.#answer(`${call.name}-repair`, entry, request(), conversation.tokensBound);
    const repaired = await check(call, second);
    if (repaired.ok) return repaired.value;
    await this.#noteProblem(`${call.name}-repair`, repaired.problem, second);
    throw new TaskFailedError('malformed', toProblemText(call.name, repaired.problem, second));
  }

  /** The reply of this name, stored or new. Stored before anybody looks into it: it is paid for. */
  async #answer(name: string, entry: CatalogEntry, request: ModelRequest, tokensBound: number): Promise<ModelReply> {
    const stored = this.#storedReply(name);
    if (stored !== null) return stored;
    const identity = { ...this.#parts.identity, model: entry.id, costVendor: entry.costVendor };
    const reservation = await this.#begin(name, identity, entry, { tokensBound, maxTokens: request.maxTokens });
    if (reservation === null) return this.#answer(name, entry, request, tokensBound); // what was stored is loaded now
    const reply = await this.#call(request, identity, entry, reservation);
    const booking = this.#book(entry, reservation, reply);
    const { ledger, workerId, now } = this.#parts;
    const cost = `${formatUsd(booking.nanoUsd, 6)}, ${toTotalTokens(reply.usage)} tokens`;
    const log = `${now().toISOString()} ${name}: ${entry.id} answered (${cost}, ${workerId})`;
    const turn = { epoch: this.#epoch, turn: name };
    const answer = await ledger.settle(identity, turn, booking, reply, this.totals, { log, progress: null });
    if (answer === 'lock-lost') throw lockLost(identity.jobId);
    this.#stored.set(`r:${this.#epoch}:${name}`, JSON.stringify(reply));
    return reply;
  }

  /** @returns null where the first question of this run was answered with what is stored */
  async #begin(
    name: string,
    identity: TaskIdentity,
    entry: CatalogEntry,
    bound: { tokensBound: number; maxTokens: number },
  ): Promise<string | null> {
    this.#parts.signal.throwIfAborted();
    if (this.#parts.isDraining()) throw new ShutdownError('this process goes away, or makes room');
    const answer = await this.#parts.ledger.begin(identity, {
      turn: name,
      worstNanoUsd: worstCaseNanoUsd(entry, { inputTokensBound: bound.tokensBound, maxTokens: bound.maxTokens }),
      first: !this.#begun,
    });
    if (answer.kind !== 'reserved' && answer.kind !== 'replay') throw toRefusalError(answer, identity);
    this.#begun = true;
    this.#epoch = answer.epoch;
    if (answer.kind === 'reserved') return answer.reservation;
    this.totals = answer.totals;
    this.#stored = answer.stored;
    return null;
  }

  /** The paid call. Whatever happens, the reservation does not stay open. */
  async #call(
    request: ModelRequest,
    identity: TaskIdentity,
    entry: CatalogEntry,
    reservation: string,
  ): Promise<ModelReply> {
    const { model, ledger, signal } = this.#parts;
    try {
      return await model.call(request, { signal });
    } catch (error) {
      const billed = (error instanceof FleetError ? error.billed : undefined) ?? 'unknown';
      if (typeof billed === 'object') {
        const booking = this.#book(entry, reservation, { usage: billed });
        const nowhere = { epoch: this.#epoch, turn: -1 };
        await ledger.settle(identity, nowhere, booking, null, this.totals, { log: '', progress: null });
      } else {
        await ledger.closeReservation(identity, reservation, billed === 'no' ? 'release' : 'uncertain');
      }
      throw error;
    }
  }

  #storedReply(name: string): ModelReply | null {
    const json = this.#stored.get(`r:${this.#epoch}:${name}`);
    return json === undefined ? null : (JSON.parse(json) as ModelReply);
  }

  #book(entry: CatalogEntry, reservation: string, { usage }: Pick<ModelReply, 'usage'>): Booking {
    const booking = { reservation, nanoUsd: costNanoUsd(entry, usage), usage };
    this.totals = {
      nanoUsd: this.totals.nanoUsd + booking.nanoUsd,
      usage: addUsage(this.totals.usage, usage),
      calls: this.totals.calls + 1,
    };
    return booking;
  }

  async #noteProblem(name: string, problem: string, reply: ModelReply): Promise<void> {
    const text = toText(reply).slice(0, KEPT_REPLY);
    await this.#parts.note?.(`${this.#parts.now().toISOString()} ${name}: ${problem}; the reply: ${text}`);
  }
}

/** @throws TaskFailedError `refusal` */
async function check<Value>(call: StructuredCall<Value>, reply: ModelReply): Promise<Checked<Value>> {
  if (reply.stopReason === 'refusal') throw new TaskFailedError('refusal', `${call.name}: the model declined`);
  if (reply.stopReason === 'max_tokens') {
    return { ok: false, problem: `the reply was cut off at ${reply.usage.output} tokens; answer more briefly` };
  }
  let json: unknown;
  try {
    json = JSON.parse(toText(reply));
  } catch (error) {
    return { ok: false, problem: `the reply is no JSON (${toMessage(error)})` };
  }
  return call.check(json);
}

function toText(reply: ModelReply): string {
  return reply.content
    .filter((block) => block.type === 'text')
    .map((block) => block.text)
    .join('\n')
    .trim();
}

/** The provider refuses a message without content. */
function withText(reply: ModelReply): ModelReply {
  if (toText(reply) !== '') return reply;
  return { ...reply, content: [{ type: 'text', text: '(nothing)', citations: null }] };
}

/** The failed reason ends with the reply's beginning; the whole of it is in the job's log. */
function toProblemText(name: string, problem: string, reply: ModelReply): string {
  const text = toText(reply).replaceAll(/\s+/g, ' ');
  const shown = text.length <= SHOWN_REPLY ? text : `${text.slice(0, SHOWN_REPLY)}…`;
  return `${name}: also after one repair: ${problem}; the reply: ${shown === '' ? '(nothing)' : shown}`;
}
