import { hash } from 'node:crypto';
import type { TextBlock } from '../../models/format.ts';
import { BoundThinkingError, TaskFailedError, toMessage } from '../../errors.ts';
import { Conversation } from '../../haiku/loop/conversation.ts';
import type { PaidCalls, PaidCallsParts } from '../../ledger/calls/paid-calls.ts';
import { lockLost } from '../../ledger/refusals.ts';
import type { Model, ModelReply, ModelRequest } from '../../models/model.ts';
import type { Catalog, CatalogEntry } from '../../pricing/catalog.ts';
import { formatCost } from '../../pricing/free-local.ts';
import { toTotalTokens } from '../../pricing/tokens.ts';
import { isWhole, toReplyText, withoutThinking } from './reply-text.ts';
import { toReplyRoom } from './reply-room.ts';
import type { Checked, StructuredCall } from './types.ts';
import { DEEPEST_RULE, isTooDeep } from '../../text/json-depth.ts';
import { startOf } from '../../text/start-of.ts';

/** The identity of work without a job has an empty `token`: there is no lock and no job log. */
export interface StructuredCallParts extends PaidCallsParts {
  model: Model;
  catalog: Catalog;
  workerId: string;
  now(): Date;
  /** Adds a line to the log of the job or mission: the problem of a reply, and the reply. */
  note?: (line: string) => Promise<unknown>;
}

/** A reply as the ledger keeps it. */
export interface KeptReply extends ModelReply {
  /** Hash of what the reply's thinking is bound to. Absent: a version before kept it. */
  prefix?: string;
}

/** UTF-16 code units of a refused reply that are kept in the log. */
const KEPT_REPLY = 16_000;
/** UTF-16 code units of a refused reply that the failed reason shows. */
const SHOWN_REPLY = 300;

/** One structured call with the calls that it may lead to: one with more room, and one repair. */
export class Question<Value> {
  readonly #parts: StructuredCallParts;
  readonly #calls: PaidCalls<KeptReply>;
  readonly #call: StructuredCall<Value>;
  readonly #entry: CatalogEntry;
  readonly #system: TextBlock[];
  readonly #prefix: string;
  #maxTokens: number;
  #isDoubled = false;

  constructor(parts: StructuredCallParts, calls: PaidCalls<KeptReply>, call: StructuredCall<Value>) {
    this.#parts = parts;
    this.#calls = calls;
    this.#call = call;
    this.#entry = parts.catalog.find(call.model, parts.now());
    this.#system = [{ type: 'text', text: call.system }];
    this.#prefix = toPrefix(call);
    this.#maxTokens = toReplyRoom(this.#entry, call.replyTokens);
  }

  async ask(): Promise<Value> {
    const { name } = this.#call;
    const first = await this.#askWhole(name, this.#open());
    const checked = await this.#check(first);
    if (checked.ok) return checked.value;
    await this.#noteProblem(name, checked.problem, first);
    const second = await this.#askRepair(`${name}-repair`, first, checked.problem);
    const repaired = await this.#check(second);
    if (repaired.ok) return repaired.value;
    await this.#noteProblem(`${name}-repair`, repaired.problem, second);
    const atWorst = repaired.atWorst ?? checked.atWorst;
    if (atWorst !== undefined) return atWorst;
    throw new TaskFailedError('malformed', toProblemText(name, repaired.problem, second));
  }

  #open(): Conversation {
    return new Conversation([this.#system, [this.#call.schema]], this.#call.prompt);
  }

  /**
   * Sends a reply back with its problem. Its thinking goes with it if nothing before it has changed since, else the provider
   * refuses the request.
   */
  async #askRepair(name: string, reply: KeptReply, problem: string): Promise<KeptReply> {
    const bare = withoutThinking(reply);
    const isBound = isWhole(reply) && reply.prefix === this.#prefix && toReplyText(reply) !== '';
    const toConversation = (answered: ModelReply): Conversation => {
      const conversation = this.#open();
      conversation.addReply(answered);
      conversation.addUser([{ type: 'text', text: `<problem>\n${problem}\n</problem>` }]);
      return conversation;
    };
    try {
      return await this.#askWhole(name, toConversation(isBound ? reply : bare));
    } catch (error) {
      if (!isBound || !(error instanceof BoundThinkingError)) throw error;
      await this.#note(`${name}: the provider refuses the thinking sent back; asked once more without it`);
      return this.#askWhole(name, toConversation(bare));
    }
  }

  /** The reply, asked for once more with twice the room if it was cut. A call and its repair double their room once. */
  async #askWhole(name: string, conversation: Conversation): Promise<KeptReply> {
    const reply = await this.#answer(name, conversation);
    if (reply.stopReason !== 'max_tokens' || this.#isDoubled) return reply;
    const more = Math.min(this.#entry.maxOutputTokens, 2 * this.#maxTokens);
    if (more <= this.#maxTokens) return reply;
    this.#isDoubled = true;
    this.#maxTokens = more;
    await this.#note(`${name}: the reply was cut off at ${reply.usage.output} tokens; asked once more with ${more}`);
    return this.#answer(`${name}-more`, conversation);
  }

  /** The reply of this name, replayed or new. A new one is stored before its text is read: it is paid for. */
  async #answer(name: string, { messages, bound: promptBound }: Conversation): Promise<KeptReply> {
    const { model, signal, identity, workerId, now } = this.#parts;
    const { effort, schema } = this.#call;
    const request: ModelRequest = {
      model: this.#entry.id,
      system: this.#system,
      messages,
      tools: [],
      maxTokens: this.#maxTokens,
      ...(effort === undefined ? {} : { effort }),
      cache: 'none', // a repair is rare: to write every prompt would cost more than it saves
      outputSchema: schema,
      user: identity.jobId,
    };
    const countInput = (abort: AbortSignal): Promise<number | null> => model.countTokens(request, { signal: abort });
    const bound = { ...promptBound, maxTokens: this.#maxTokens, mayCache: false, countInput };
    const terms = { turn: name, payer: { entry: this.#entry, free: false }, bound };
    const paid = await this.#calls.make(terms, (onInput) => model.call(request, { signal, onInput }));
    if (paid.kind === 'done') throw lockLost(identity.jobId); // the run that stored the finding ends the job
    const { reply, booking } = paid;
    if (booking === null) return reply;
    const cost = `${formatCost(booking.nanoUsd, 6, this.#entry.isLocal)}, ${toTotalTokens(booking.usage)} tokens`;
    const log = `${now().toISOString()} ${name}: ${this.#entry.id} answered (${cost}, ${workerId})`;
    const kept = { ...reply, prefix: this.#prefix };
    await this.#calls.store(paid, { log, progress: null }, kept);
    return kept;
  }

  /** @throws TaskFailedError `refusal`, `too-long` */
  async #check(reply: ModelReply): Promise<Checked<Value>> {
    const { name } = this.#call;
    switch (reply.stopReason) {
      case 'refusal':
        throw new TaskFailedError('refusal', `${name}: the model declined`);
      case 'max_tokens':
        return { ok: false, problem: `the reply was cut off at ${reply.usage.output} tokens; answer more briefly` };
      case 'model_context_window_exceeded':
        throw new TaskFailedError('too-long', `${name}: prompt and reply fill the window of ${this.#entry.id}`);
      default:
    }
    if (!isWhole(reply)) {
      return { ok: false, problem: `the reply is not whole: it stopped with ${reply.stopReason}; answer once more` };
    }
    if (isTooDeep(toReplyText(reply))) return { ok: false, problem: `the reply: ${DEEPEST_RULE}` };
    let json: unknown;
    try {
      json = JSON.parse(toReplyText(reply));
    } catch (error) {
      return { ok: false, problem: `the reply is no JSON (${toMessage(error)})` };
    }
    return this.#call.check(json);
  }

  async #noteProblem(name: string, problem: string, reply: ModelReply): Promise<void> {
    await this.#note(`${name}: ${problem}; the reply: ${startOf(toReplyText(reply), KEPT_REPLY)}`);
  }

  async #note(line: string): Promise<void> {
    await this.#parts.note?.(`${this.#parts.now().toISOString()} ${line}`);
  }
}

/** Hash of all that the provider reads before a reply. A reply's thinking may only be sent back after the same. */
function toPrefix({ model, system, prompt, schema }: StructuredCall<unknown>): string {
  return hash('sha256', JSON.stringify([model, system, schema, prompt])).slice(0, 16);
}

/** Text of the failed reason. It ends with the beginning of the reply; the job's log holds more of it. */
function toProblemText(name: string, problem: string, reply: ModelReply): string {
  const text = toReplyText(reply).replaceAll(/\s+/g, ' ');
  const shown = text.length <= SHOWN_REPLY ? text : `${startOf(text, SHOWN_REPLY)}…`;
  return `${name}: also after one repair: ${problem}; the reply: ${shown === '' ? '(nothing)' : shown}`;
}
