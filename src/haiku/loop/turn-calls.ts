import type { Usage } from '../../../queues/usage.ts';
import { BoundThinkingError, TaskFailedError } from '../../errors.ts';
import { PaidCalls, type DoneJob } from '../../ledger/calls/paid-calls.ts';
import type { PaidReply } from '../../ledger/calls/reserved-call.ts';
import type { Handover } from '../../findings/finding.ts';
import type { Turn, TurnNote } from '../../ledger/types.ts';
import type { ModelRequest, OnInput } from '../../models/model.ts';
import { addUsage, NO_USAGE } from '../../pricing/tokens.ts';
import { countOf } from '../../text/plural.ts';
import { Conversation } from './conversation.ts';
import { toPrefixHash } from './prefix-hash.ts';
import { PROMPT_VERSION, toSystemBlocks, toTaskMessage } from './prompt.ts';
import { toPromptLimit, toReplyRooms } from '../../routing/reply-room.ts';
import type { FirstMessage, TaskLoopParts, TaskRun, TurnReply } from './types.ts';

type Paid = PaidReply<TurnReply>;
const NOTHING: FirstMessage = { tail: '', seen: {}, contexts: [] };

/**
 * Reads what an earlier run of the task began with. For a task whose beginning is costly to find, or may fail where it has begun.
 * @returns null: no run has a stored reply
 */
export async function readFirst(
  run: Pick<TaskRun, 'identity' | 'signal' | 'isDraining'>,
  { ledger, entry }: Pick<TaskLoopParts, 'ledger' | 'entry'>,
): Promise<FirstMessage | null> {
  const { identity, signal, isDraining } = run;
  const paid = new PaidCalls<TurnReply>({ ledger, identity, signal, isDraining });
  const stored = await paid.readStored(0, { entry, free: false });
  if (stored.kind === 'done') return NOTHING; // the loop finds the same
  return stored.kind === 'new' ? null : ((JSON.parse(stored.json) as TurnReply).first ?? null);
}

/** The prompt of a task so far, and the paid calls of its turns. */
export class TurnCalls {
  readonly paid: PaidCalls<TurnReply>;
  readonly #run: TaskRun;
  readonly #parts: TaskLoopParts;
  readonly #fixed: Pick<ModelRequest, 'model' | 'system' | 'tools' | 'effort' | 'user'>;
  #limitTokens = 0;
  readonly #task: string;
  #first: FirstMessage;
  #conversation: Conversation;
  #prefix: string | null = null; // most tasks end before it is needed
  #usage: Usage = { ...NO_USAGE };
  #replayedCount = 0;
  #routed: Handover[] = [];
  #unstored: Handover[] = []; // told by the last new reply
  #withoutThinking = 0;
  #withoutUsage = 0;
  #wasRefused = false;
  #wasCut = false;

  /** @param first what a run begins with that replays nothing */
  constructor(run: TaskRun, parts: TaskLoopParts, first: FirstMessage) {
    const { entry, effort, toolset, ledger, pace } = parts;
    const { identity, signal, isDraining, place } = run;
    const system = toSystemBlocks(parts.contexts);
    const tools = toolset.definitions;
    this.#run = run;
    this.#parts = parts;
    this.paid = new PaidCalls({ ledger, identity, signal, isDraining, pace, place });
    this.#fixed = { model: entry.id, system, tools, ...(effort === undefined ? {} : { effort }), user: identity.jobId };
    this.#task = toTaskMessage(run.task);
    this.#first = first;
    this.#conversation = this.#open();
  }

  get conversation(): Conversation {
    return this.#conversation;
  }

  /** What the task began with, in its first run; known after the first turn. */
  get first(): FirstMessage {
    return this.#first;
  }

  /** Tokens of all turns so far, of replayed ones too: the same in every run of the task. */
  get usage(): Usage {
    return this.#usage;
  }

  /** The models that another one took over from, in this run and those before it. */
  get routed(): readonly Handover[] {
    return this.#routed;
  }

  /** How many replies of earlier runs were used so far. */
  get replayedCount(): number {
    return this.#replayedCount;
  }

  /**
   * Replays the reply of a turn, or makes the call. A reply that was cut is stored as it is; the one that comes instead, with
   * more room, has a turn of its own.
   * @param turn from 0
   * @param isLast whether the model may call no tool any more
   * @param toCutNote the line about a reply that was cut
   * @throws what `PaidCalls.make` throws; TaskFailedError `step-limit` if the prompt is too long
   */
  async ask(
    turn: number,
    isLast: boolean,
    toCutNote: (paid: Paid, moreTokens: number) => TurnNote,
  ): Promise<Paid | DoneJob> {
    this.#trim();
    const { first, more } = toReplyRooms(this.#parts.entry);
    // A task that writes long replies writes several: each cut one is paid for.
    const room = this.#wasCut ? first : this.#parts.replies.toFirstRoom(first);
    const paid = await this.#make(turn, isLast, room);
    if (turn === 0 && paid.kind === 'reply' && paid.booking === null) this.#beginAgain(paid.reply);
    if (paid.kind === 'done' || paid.reply.stopReason !== 'max_tokens') return paid;
    this.#wasCut = true;
    const hadRoom = paid.booking === null ? paid.reply.usage.output : room; // no reply stores the room that it had
    if (hadRoom >= more) return paid;
    await this.store(paid, toCutNote(paid, more));
    return this.#make(`${turn}-more`, isLast, more);
  }

  /** Books and stores a reply that does not end the task, with what a later run needs to send it back. */
  async store(paid: Paid, note: TurnNote): Promise<void> {
    if (paid.booking === null) return;
    const { turn, reply } = paid;
    await this.paid.store(paid, note, {
      ...reply,
      prefix: this.#toPrefix(),
      ...(this.#unstored.length === 0 ? {} : { routed: this.#unstored }),
      ...(turn === 0 ? { first: this.#first } : {}),
    });
  }

  /** Adds a reply to the prompt. One of an earlier run that another prompt led to leaves its thinking behind. */
  addReply({ reply, booking }: Paid): void {
    const isBound = booking !== null || reply.prefix === this.#toPrefix();
    this.#withoutThinking += this.conversation.addReply(reply, isBound);
  }

  /** What happened since the last line of the job's log. */
  takeRemarks(): string[] {
    if (this.#withoutThinking === 0 && this.#withoutUsage === 0 && !this.#wasRefused) return [];
    const replies = countOf(this.#withoutThinking, 'reply', 'replies');
    const remarks = [
      ...(this.#withoutThinking > 0 ? [`without the thinking of ${replies} to another prompt`] : []),
      ...(this.#withoutUsage > 0 ? ['booked at the most that it can be: the provider reported no usage'] : []),
      ...(this.#wasRefused ? ['asked again without thinking, which the provider took for that of another prompt'] : []),
    ];
    this.#withoutThinking = 0;
    this.#withoutUsage = 0;
    this.#wasRefused = false;
    return remarks;
  }

  #open(): Conversation {
    const { system, tools } = this.#fixed;
    const conversation = new Conversation([system, tools], this.#toFirstText());
    this.#limitTokens = toPromptLimit(this.#parts.entry, conversation.tokensEstimate);
    return conversation;
  }

  #toFirstText(): string {
    return `${this.#task}\n${this.#first.tail}`;
  }

  /** Hash of what every prompt of this run begins with. */
  #toPrefix(): string {
    const { model, system, tools } = this.#fixed;
    const start = { version: PROMPT_VERSION, model, limitTokens: this.#limitTokens, first: this.#toFirstText() };
    return (this.#prefix ??= toPrefixHash(start, [system, tools]));
  }

  /** Begins with what an earlier run has sent: since then the workspace may have changed. */
  #beginAgain({ first }: TurnReply): void {
    if (first === undefined) return;
    this.#first = first;
    this.#conversation = this.#open();
  }

  #trim(): void {
    const limit = this.#limitTokens;
    this.conversation.trim(limit);
    const { tokensEstimate } = this.conversation;
    if (tokensEstimate <= limit) return;
    throw new TaskFailedError(
      'step-limit',
      `the prompt has about ${tokensEstimate} tokens, ${this.#fixed.model} is kept under ${limit}; shorten the task or its data`,
    );
  }

  async #make(turn: Turn, isLast: boolean, maxTokens: number): Promise<Paid | DoneJob> {
    const { messages } = this.conversation;
    const { entry, model } = this.#parts;
    const request: ModelRequest = { ...this.#fixed, messages, maxTokens, ...(isLast ? { toolChoice: 'none' } : {}) };
    const countInput = (signal: AbortSignal): Promise<number | null> => model.countTokens(request, { signal });
    const payer = { entry, free: false };
    const bound = { ...this.conversation.bound, maxTokens, countInput };
    const paid = await this.paid.make({ turn, payer, bound }, (onInput) => this.#send(request, onInput));
    if (paid.kind === 'done') return paid;
    this.#usage = addUsage(this.#usage, paid.reply.usage);
    if (paid.reply.isUsageBound === true) this.#withoutUsage += 1;
    if (paid.booking === null) {
      this.#replayedCount += 1;
      this.#routed.push(...(paid.reply.routed ?? []));
      return paid;
    }
    this.#parts.replies.note(paid.reply.usage.output);
    this.#takeHandovers();
    return paid;
  }

  /** The first reply of a model tells who was asked before. The same handover at the start of several runs is told once. */
  #takeHandovers(): void {
    const last = this.#routed.at(-1);
    this.#unstored = this.#parts.handovers
      .splice(0)
      .filter(({ from, to }, i) => i > 0 || from !== last?.from || to !== last.to);
    this.#routed.push(...this.#unstored);
  }

  /** Asks once more, without thinking, if the provider refuses the thinking of earlier turns. That refusal costs nothing. */
  async #send(request: ModelRequest, onInput: OnInput): Promise<TurnReply> {
    const { model } = this.#parts;
    const { signal } = this.#run;
    try {
      return await model.call(request, { signal, onInput });
    } catch (error) {
      if (!(error instanceof BoundThinkingError) || this.conversation.dropThinking() === 0) throw error;
      this.#wasRefused = true;
      return model.call(request, { signal, onInput });
    }
  }
}
