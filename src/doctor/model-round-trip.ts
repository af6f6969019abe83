import type { ContentBlock, ReplyBlock } from '../models/format.ts';
import { Conversation } from '../haiku/loop/conversation.ts';
import { toSystemBlocks, toTaskMessage } from '../haiku/loop/prompt.ts';
import { createToolset } from '../haiku/toolset.ts';
import type { PaidCalls } from '../ledger/calls/paid-calls.ts';
import type { Model, ModelLimits, ModelReply } from '../models/model.ts';
import type { CatalogEntry } from '../pricing/catalog.ts';

/** How a model did what a worker asks of it. */
export interface RoundTrip {
  calls: number;
  thinks: boolean;
  usesTools: boolean;
  /** Whether it went on after a result was dropped from the conversation. */
  takesTrim: boolean;
  /** Of the last answer; null: its headers state none. */
  limits: ModelLimits | null;
}

const TASK = {
  description:
    'What do earlier findings say about the harbour light? Search with the tool findings, then read what it lists.',
};
/** What the tool answers: long enough that trimming drops it. */
const RESULT = `finding_harbour (2026-01-01T00:00:00.000Z): The harbour light is green. ${'It was painted anew. '.repeat(80)}`;
/** Most tokens of a reply, thinking included. */
const MOST_TOKENS = 4_000;
const CALLS = 3;

/**
 * Makes three calls as a worker makes them: with a tool, with the tool's result and the thinking before it, and after that
 * result was trimmed away. The provider refuses the second or third if thinking is sent back wrongly.
 */
export async function makeRoundTrip(
  { model, entry, calls }: { model: Model; entry: CatalogEntry; calls: PaidCalls<ModelReply> },
  signal: AbortSignal,
): Promise<RoundTrip> {
  const system = toSystemBlocks([]);
  const maxTokens = Math.min(MOST_TOKENS, entry.maxOutputTokens);
  const tools = createToolset({ workspace: false, runAllow: [], httpAllow: [], archive: false }).definitions.filter(
    ({ name }) => name === 'findings',
  );
  const conversation = new Conversation([system, tools], toTaskMessage(TASK));
  const trip: RoundTrip = { calls: 0, thinks: false, usesTools: false, takesTrim: false, limits: null };
  for (let turn = 0; turn < CALLS; turn += 1) {
    const isLast = turn === CALLS - 1;
    const trimmed = isLast ? conversation.trim(conversation.tokensEstimate) : 0;
    const terms = { turn, payer: { entry, free: false }, bound: { ...conversation.bound, maxTokens } };
    const { messages } = conversation;
    const request = { model: entry.id, system, tools, messages, maxTokens, cache: 'none' as const };
    const onLimits = (limits: ModelLimits): void => void (trip.limits = limits);
    const paid = await calls.make(terms, () => model.call(request, { signal, onLimits }));
    if (paid.kind === 'done') break;
    await calls.store(paid, { log: '', progress: null });
    const { content } = paid.reply;
    trip.calls += 1;
    trip.thinks ||= content.some(({ type }) => type === 'thinking' || type === 'redacted_thinking');
    trip.usesTools ||= content.some(({ type }) => type === 'tool_use');
    trip.takesTrim ||= trimmed > 0;
    conversation.addReply(paid.reply);
    conversation.addUser(toAnswer(content));
  }
  return trip;
}

/** The results of the tools that a reply asks for; a word, if it asks for none. */
function toAnswer(content: readonly ReplyBlock[]): ContentBlock[] {
  const uses = content.filter((block) => block.type === 'tool_use');
  if (uses.length === 0) return [{ type: 'text', text: 'Say it once more, in one sentence.' }];
  return uses.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: RESULT }));
}
