import { randomUUID } from 'node:crypto';
import { boundTokens } from '../../pricing/token-bound.ts';
import { isTooDeep } from '../../text/json-depth.ts';
import type { ReplyBlock, ToolUseBlock } from '../format.ts';
import type { ModelReply, ModelRequest } from '../model.ts';
import type { KeptReasoning } from './messages.ts';
import { type ChatParams, isStrict } from './request.ts';
import { withoutNulls } from './schema.ts';
import type { StreamedChat } from './streamed-chat.ts';
import { readChatUsage } from './usage.ts';

/** https://platform.openai.com/docs/api-reference/chat/object; `model_length`: Mistral's */
const STOP_REASONS: Record<string, string> = {
  stop: 'end_turn',
  eos: 'end_turn',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
  length: 'max_tokens',
  max_tokens: 'max_tokens',
  model_length: 'model_context_window_exceeded',
  content_filter: 'refusal',
};

/** Reasons of a reply that the provider broke off itself. DeepSeek's: https://api-docs.deepseek.com/api/create-chat-completion */
const BROKEN = new Set(['error', 'insufficient_system_resource', 'aborted']);

export type CheckedChat =
  | { ok: true; reply: ModelReply }
  /** The reply is paid for. `isBroken`: the provider could not end it, and may the next time. */
  | { ok: false; rule: string; usage: ModelReply['usage'] | undefined; isBroken: boolean };

/** The fleet's reply of what came. */
export function toChatReply(chat: StreamedChat, request: ModelRequest, params: ChatParams): CheckedChat {
  const reported = readChatUsage(chat.usage);
  const { finishReason } = chat;
  if (finishReason !== null && BROKEN.has(finishReason)) {
    return { ok: false, rule: `the provider ended it with ${finishReason}`, usage: reported, isBroken: true };
  }
  const isCut = (STOP_REASONS[finishReason ?? ''] ?? '') === 'max_tokens';
  const calls = toCalls(chat, request, isCut);
  const wrong = calls.find(({ name, input }) => name === '' || typeof input !== 'object');
  if (wrong !== undefined) {
    const what = wrong.name === '' ? 'a call of a tool has no name' : `the input of ${wrong.name} is no JSON object`;
    return { ok: false, rule: what, usage: reported, isBroken: false };
  }
  const text = chat.refusal === '' ? toText(chat, request, params) : chat.refusal;
  const content: ReplyBlock[] = [
    ...toThinking(chat, request.model),
    ...(text === '' ? [] : [{ type: 'text' as const, text }]),
    ...calls,
  ];
  const usage = reported ?? toBound(content, params, request.maxTokens);
  return {
    ok: true,
    reply: {
      id: chat.id === '' ? `chatcmpl-${randomUUID()}` : chat.id,
      model: chat.model === '' ? request.model : chat.model,
      content,
      stopReason: chat.refusal === '' ? toStopReason(finishReason, calls.length > 0) : 'refusal',
      usage,
      ...(reported === undefined && { isUsageBound: true as const }),
    },
  };
}

/** Some servers end a reply that calls tools with `stop`. */
function toStopReason(reason: string | null, hasCalls: boolean): string {
  const known = reason === null ? 'end_turn' : (STOP_REASONS[reason] ?? reason);
  return known === 'end_turn' && hasCalls ? 'tool_use' : known;
}

function toThinking({ reasoning, reasoningField, details }: StreamedChat, model: string): ReplyBlock[] {
  if (reasoning === '' && details.length === 0) return [];
  const kept: KeptReasoning = {
    ...(reasoningField !== null && { field: reasoningField }),
    ...(details.length > 0 && { details }),
  };
  return [{ type: 'thinking', thinking: reasoning, signature: '', opaque: { api: 'openai', model, ...kept } }];
}

/** Ids are unique in the conversation: some servers leave them out, or count anew with each reply. */
function toCalls({ calls }: StreamedChat, { messages }: ModelRequest, isCut: boolean): ToolUseBlock[] {
  const taken = new Set(
    messages.flatMap(({ content }) =>
      typeof content === 'string' ? [] : content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : [])),
    ),
  );
  return calls.map(({ id, name, json }) => {
    const own = id === '' || taken.has(id) ? `call_${randomUUID().replaceAll('-', '').slice(0, 24)}` : id;
    taken.add(own);
    return { type: 'tool_use', id: own, name, input: toInput(json, isCut) };
  });
}

/** A text where it is no JSON object. One that a limit cut is empty: such a reply is asked for again, and never carried out. */
function toInput(json: string, isCut: boolean): unknown {
  if (json.trim() === '') return {};
  try {
    const input: unknown = isTooDeep(json) ? json : JSON.parse(json);
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  } catch {
    // no JSON
  }
  return isCut ? {} : json;
}

function toText({ text }: StreamedChat, { outputSchema }: ModelRequest, params: ChatParams): string {
  if (outputSchema === undefined || !isStrict(params)) return text;
  try {
    return JSON.stringify(withoutNulls(JSON.parse(text), outputSchema));
  } catch {
    return text; // cut, or declined
  }
}

/** The most that a reply without a reported usage can have cost. */
function toBound(content: readonly ReplyBlock[], params: ChatParams, maxTokens: number): ModelReply['usage'] {
  const { stream: _, ...prompt } = params;
  const output = Math.min(maxTokens, Math.max(1, boundTokens(JSON.stringify(content)).tokens));
  return { input: boundTokens(JSON.stringify(prompt)).tokens, cache_read: 0, cache_write: 0, output };
}
