import type { ModelReply, ReplyBlock } from '../../model/types.ts';
import { sha256 } from '../../provider-host/hash.ts';
import { estimateTokens } from '../../provider-host/tokens.ts';
import type { ServedChatModel } from '../api/model-table.ts';

interface ChatCall {
  id: string;
  name: string;
  arguments: string;
}

export interface FinishedChat {
  content: string | null;
  /** The model's words for declining: structured outputs have a field of their own. */
  refusal: string | null;
  /** Shown reasoning; null: the model shows none. */
  reasoning: string | null;
  calls: ChatCall[];
  finishReason: string;
  /** Tokens billed, reasoning included. */
  output: number;
  reasoningTokens: number;
}

/** What a reply depends on besides the model's words. */
export interface ChatTerms {
  model: ServedChatModel;
  requestHash: string;
  /** Most tokens of the reply, reasoning included. */
  maxTokens: number;
  stop: readonly string[];
  /** Null: the model does not reason. */
  effort: string | null;
}

const SHARES: Record<string, number> = { minimal: 0.1, low: 0.5, medium: 1, high: 2, xhigh: 3, max: 4 };

/** Tokens of reasoning before this reply: the same for the same request. */
export function countReasoning({ effort, requestHash }: Pick<ChatTerms, 'effort' | 'requestHash'>): number {
  if (effort === null) return 0;
  const drawn = 50 + (Number.parseInt(requestHash.slice(0, 8), 16) % 400);
  return Math.round(drawn * (SHARES[effort] ?? 1));
}

/**
 * Turns the model's reply into what a completion holds, and cuts it at stop sequences and at the limit: in the middle of a
 * call, too, whose arguments are then no JSON. https://platform.openai.com/docs/api-reference/chat/object
 */
export function finishChat(reply: ModelReply, terms: ChatTerms): FinishedChat {
  const { model, requestHash, maxTokens, stop } = terms;
  const thought = countReasoning(terms);
  const shown = model.reasoning?.isShown === true && thought > 0;
  const reasoning = shown ? toThought(Math.min(thought, maxTokens), model.charactersPerToken) : null;
  if (reply.refusal !== undefined) {
    const output = thought + Math.max(1, estimateTokens(reply.refusal, model.charactersPerToken));
    const said = model.vendor === 'openai' ? { content: null, refusal: reply.refusal } : { content: '', refusal: null };
    const finishReason = model.vendor === 'openai' ? 'stop' : 'content_filter';
    return { ...said, reasoning, calls: [], finishReason, output, reasoningTokens: thought };
  }
  if (thought >= maxTokens) {
    const ended = { content: '', refusal: null, calls: [], finishReason: 'length' };
    return { ...ended, reasoning, output: maxTokens, reasoningTokens: maxTokens };
  }
  const text = stopAt(joinTexts(reply.content), stop);
  let room = Math.floor((maxTokens - thought) * model.charactersPerToken); // characters
  const content = text.slice(0, room).toWellFormed();
  let isCut = content.length < text.length;
  room -= content.length;
  const calls: ChatCall[] = [];
  for (const [i, block] of reply.content.entries()) {
    if (block.type !== 'tool_use' || isCut) continue;
    const json = JSON.stringify(block.input);
    const left = room - block.name.length;
    if (left <= 0) {
      isCut = true;
      break;
    }
    calls.push({ id: toCallId(model, requestHash, i), name: block.name, arguments: json.slice(0, left) });
    isCut = json.length > left;
    room = left - json.length;
  }
  const said = content.length + calls.reduce((sum, call) => sum + call.name.length + call.arguments.length, 0);
  const normal = calls.length > 0 ? 'tool_calls' : 'stop';
  return {
    content: content === '' && calls.length > 0 ? null : content,
    refusal: null,
    reasoning,
    calls,
    finishReason: isCut ? 'length' : normal,
    output: isCut ? maxTokens : Math.max(1, thought + estimateTokens(said, model.charactersPerToken)),
    reasoningTokens: thought,
  };
}

/** Ids as each vendor makes them: Mistral's have nine letters and digits. */
function toCallId({ vendor }: ServedChatModel, requestHash: string, index: number): string {
  const hash = sha256(`${requestHash} ${index}`);
  return vendor === 'mistral' ? hash.slice(0, 9) : `call_${hash.slice(0, 24)}`;
}

function joinTexts(blocks: readonly ReplyBlock[]): string {
  return blocks.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function stopAt(text: string, sequences: readonly string[]): string {
  const places = sequences.map((sequence) => text.indexOf(sequence)).filter((place) => place >= 0);
  return places.length === 0 ? text : text.slice(0, Math.min(...places));
}

function toThought(tokens: number, charactersPerToken: number): string {
  const sentence = 'The simulated model considers the request and its tools. ';
  return sentence
    .repeat(Math.ceil((tokens * charactersPerToken) / sentence.length))
    .slice(0, tokens * charactersPerToken);
}
