import { isObject } from '../../provider-host/json.ts';
import type { ChatVendor } from '../api/model-table.ts';
import { invalidRequest, unprocessable } from '../api/api-error.ts';
import { toPlace } from './wording.ts';

type Path = (string | number)[];

interface KnownFields {
  body: readonly string[];
  assistant: readonly string[];
}

/**
 * OpenAI's: https://platform.openai.com/docs/api-reference/chat/create, refused as in https://github.com/teabranch/open-responses-server/issues/41.
 * Mistral's: https://docs.mistral.ai/api/endpoint/chat. The other vendors read what they know and skip the rest.
 */
const KNOWN: Partial<Record<ChatVendor, KnownFields>> = {
  openai: {
    body: `messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata
      modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention
      reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice
      tools top_logprobs top_p user verbosity web_search_options`.split(/\s+/),
    assistant: ['role', 'content', 'refusal', 'name', 'audio', 'tool_calls', 'function_call'],
  },
  mistral: {
    body: `messages model temperature top_p max_tokens stream stop random_seed metadata response_format tools tool_choice
      presence_penalty frequency_penalty n prediction parallel_tool_calls prompt_mode reasoning_effort prompt_cache_key guardrails
      safe_prompt`.split(/\s+/),
    assistant: ['role', 'content', 'tool_calls', 'prefix'],
  },
};
const OTHER_MESSAGES = ['role', 'content', 'name', 'tool_call_id'];
const TOOL = ['type', 'function'];
const FUNCTION = ['name', 'description', 'parameters', 'strict'];
const FORMAT = ['type', 'json_schema'];
const JSON_SCHEMA = ['name', 'description', 'schema', 'strict'];

/** Refuses a field that the vendor does not know, as it does. @throws ChatApiError */
export function checkUnknownFields(body: Record<string, unknown>, vendor: ChatVendor): void {
  const known = KNOWN[vendor];
  if (known === undefined) return;
  const refuse = (path: Path): never => {
    if (vendor === 'mistral') {
      // https://github.com/charmbracelet/crush/issues/1590 for `reasoning_content`
      throw unprocessable({ type: 'extra_forbidden', loc: ['body', ...path], msg: 'Extra inputs are not permitted' });
    }
    const place = toPlace(path);
    throw invalidRequest(`Unknown parameter: '${place}'.`, place, 'unknown_parameter');
  };
  const check = (value: unknown, path: Path, fields: readonly string[]): void => {
    if (!isObject(value)) return;
    const unknown = Object.keys(value).find((field) => !fields.includes(field));
    if (unknown !== undefined) refuse([...path, unknown]);
  };
  check(body, [], known.body);
  for (const [i, message] of toList(body.messages).entries()) {
    check(message, ['messages', i], isAssistant(message) ? known.assistant : OTHER_MESSAGES);
  }
  for (const [i, tool] of toList(body.tools).entries()) {
    check(tool, ['tools', i], TOOL);
    if (isObject(tool)) check(tool.function, ['tools', i, 'function'], FUNCTION);
  }
  check(body.response_format, ['response_format'], FORMAT);
  if (isObject(body.response_format)) {
    check(body.response_format.json_schema, ['response_format', 'json_schema'], JSON_SCHEMA);
  }
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isAssistant(message: unknown): boolean {
  return isObject(message) && message.role === 'assistant';
}
