import { isObject } from '../../provider-host/json.ts';
import { estimateTokens } from '../../provider-host/tokens.ts';
import { ChatApiError, invalidRequest } from '../api/api-error.ts';
import type { ServedChatModel } from '../api/model-table.ts';
import { findChatModel } from '../api/served-model.ts';
import { checkConversation, checkReasoning } from './conversation.ts';
import { type ChatRequest, chatFields, toText } from './fields.ts';
import { checkParameters } from './parameters.ts';
import { checkUnknownFields } from './unknown-fields.ts';
import { parseChat } from './wording.ts';

export interface ValidChat {
  request: ChatRequest;
  model: ServedChatModel;
  /** All that the model reads, in the order in which the provider caches it. */
  prompt: string;
  promptTokens: number;
  /** Whether the model reasons before it answers, and how much. */
  effort: string | null;
}

/**
 * Checks the body of `POST /v1/chat/completions` as the model's vendor does.
 * @throws ChatApiError 400; 404 for a model that is not served; 422 of Mistral
 */
export function validateChat(value: unknown): ValidChat {
  if (!isObject(value)) throw invalidRequest('Invalid type for the body: expected an object.');
  if (typeof value.model !== 'string' || value.model === '') {
    throw invalidRequest('you must provide a model parameter');
  }
  const model = findChatModel(value.model);
  checkUnknownFields(value, model.vendor);
  const request = parseChat(chatFields, value);
  checkConversation(request.messages, model.vendor);
  checkParameters(request, model);
  const effort = toEffort(request, model);
  if (model.vendor === 'deepseek' && effort !== null && (request.tools ?? []).length > 0)
    checkReasoning(request.messages);
  const prompt = toPrompt(request);
  const promptTokens = estimateTokens(prompt, model.charactersPerToken);
  checkLength(promptTokens, request, model);
  return { request, model, prompt, promptTokens, effort };
}

function toEffort({ reasoning_effort: effort, thinking }: ChatRequest, { reasoning }: ServedChatModel): string | null {
  if (reasoning === null || thinking?.type === 'disabled') return null;
  const chosen = effort ?? reasoning.defaultEffort;
  return chosen === 'none' ? null : chosen;
}

/** Tools come before messages: https://platform.openai.com/docs/guides/prompt-caching#structuring-prompts */
function toPrompt({ tools, messages, response_format: format }: ChatRequest): string {
  const parts = (tools ?? []).map((tool) => JSON.stringify(tool.function));
  if (format?.type === 'json_schema') parts.push(JSON.stringify(format.json_schema.schema ?? {}));
  for (const message of messages) {
    parts.push(message.role[0] ?? '', toText(message.content));
    if (message.role === 'assistant') {
      for (const call of message.tool_calls ?? []) parts.push(call.function.name, call.function.arguments);
      if (typeof message['reasoning_content'] === 'string') parts.push(message['reasoning_content']);
    }
  }
  return parts.join('');
}

/** https://github.com/cline/cline/issues/5474 (OpenAI's words), https://github.com/Nutlope/aicommits/issues/259 */
function checkLength(tokens: number, request: ChatRequest, model: ServedChatModel): void {
  const { contextTokens, maxOutputTokens, vendor } = model;
  const reply = request.max_completion_tokens ?? request.max_tokens ?? 0;
  const details = { param: 'messages', code: 'context_length_exceeded' };
  const fail = (words: string): never => {
    throw new ChatApiError(400, 'invalid_request_error', words, details);
  };
  if (vendor === 'mistral') {
    if (tokens <= contextTokens) return;
    const words = `Prompt contains ${tokens} tokens and 0 draft tokens, too large for model with ${contextTokens} maximum context length`;
    throw new ChatApiError(400, 'invalid_request_prompt', words, { code: '3051', isFlat: true });
  }
  if (model.reasoning !== null && vendor === 'openai') {
    const most = contextTokens - maxOutputTokens;
    if (tokens > most) {
      fail(
        `Input tokens exceed the configured limit of ${most} tokens. Your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`,
      );
    }
    return;
  }
  if (tokens + reply <= contextTokens) return;
  fail(
    `This model's maximum context length is ${contextTokens} tokens. However, you requested ${tokens + reply} tokens (${tokens} in the messages, ${reply} in the completion). Please reduce the length of the messages or completion.`,
  );
}
