import type Anthropic from '@anthropic-ai/sdk';
import { TaskFailedError, toMessage } from '../../errors.ts';
import { Conversation } from '../../haiku/conversation.ts';
import { PaidCalls, type PaidCallsParts } from '../../ledger/paid-calls.ts';
import { lockLost } from '../../ledger/refusals.ts';
import type { JobTotals } from '../../ledger/types.ts';
import type { Model, ModelReply, ModelRequest } from '../../models/model.ts';
import { findModel, type CatalogEntry } from '../../pricing/catalog.ts';
import { formatUsd } from '../../pricing/money.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import type { AskStructured, Checked, StructuredCall } from './types.ts';

/** The identity of work without a job has an empty `token`: there is no lock and no job log. */
export interface StructuredCallParts extends PaidCallsParts {
  model: Model;
  workerId: string;
  now(): Date;
  /** Adds a line to the log of the job or mission: the problem of a reply, and the reply. */
  note?: (line: string) => Promise<unknown>;
}

export interface StructuredCalls {
  ask: AskStructured;
  /** Cost of this job's calls in all its runs so far; known after the first `ask`. */
  totals(): JobTotals;
}

/** UTF-16 code units of a refused reply that are kept in the log. */
const KEPT_REPLY = 16_000;
/** UTF-16 code units of a refused reply that the failed reason shows. */
const SHOWN_REPLY = 300;

/**
 * Builds the paid calls of one run of one job. They run one after the other, because a job holds one reservation. The
 * delivery contract is that of `PaidCalls`.
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
  readonly #calls: PaidCalls<ModelReply>;

  constructor(parts: StructuredCallParts) {
    this.#parts = parts;
    this.#calls = new PaidCalls(parts);
  }

  get totals(): JobTotals {
    return this.#calls.totals;
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

  /** The reply of this name, replayed or new. A new one is stored before its text is read: it is paid for. */
  async #answer(name: string, entry: CatalogEntry, request: ModelRequest, tokensBound: number): Promise<ModelReply> {
    const { model, signal, identity, workerId, now } = this.#parts;
    const bound = { inputTokensBound: tokensBound, maxTokens: request.maxTokens };
    const terms = { turn: name, payer: { entry, free: false }, bound };
    const paid = await this.#calls.make(terms, () => model.call(request, { signal }));
    if (paid.kind === 'done') throw lockLost(identity.jobId); // the run that stored the finding ends the job
    const { reply, booking } = paid;
    if (booking === null) return reply;
    const cost = `${formatUsd(booking.nanoUsd, 6)}, ${toTotalTokens(booking.usage)} tokens`;
    const log = `${now().toISOString()} ${name}: ${entry.id} answered (${cost}, ${workerId})`;
    await this.#calls.store(paid, { log, progress: null });
    return reply;
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

/** The reply with some text: the provider refuses a message without content. */
function withText(reply: ModelReply): ModelReply {
  if (toText(reply) !== '') return reply;
  return { ...reply, content: [{ type: 'text', text: '(nothing)', citations: null }] };
}

/** Text of the failed reason. It ends with the beginning of the reply; the job's log holds more of it. */
function toProblemText(name: string, problem: string, reply: ModelReply): string {
  const text = toText(reply).replaceAll(/\s+/g, ' ');
  const shown = text.length <= SHOWN_REPLY ? text : `${text.slice(0, SHOWN_REPLY)}…`;
  return `${name}: also after one repair: ${problem}; the reply: ${shown === '' ? '(nothing)' : shown}`;
}
