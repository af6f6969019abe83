import { ChatApiError, invalidRequest, unprocessable } from '../api/api-error.ts';
import type { ServedChatModel } from '../api/model-table.ts';
import type { ChatRequest } from './fields.ts';
import { checkStrictSchema } from './strict-schema.ts';
import { listValues } from './wording.ts';

/** Checks the parameters that depend on the model or on each other. @throws ChatApiError 400 */
export function checkParameters(request: ChatRequest, model: ServedChatModel): void {
  checkMaxTokens(request, model);
  checkTools(request, model);
  checkEffort(request, model);
  checkFormat(request, model);
  if (request.stream_options !== undefined && request.stream_options !== null && request.stream !== true) {
    const words = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
    throw invalidRequest(words, 'stream_options');
  }
  const { temperature } = request;
  if (model.vendor === 'openai' && model.reasoning !== null && typeof temperature === 'number' && temperature !== 1) {
    throw invalidRequest(
      `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`,
      'temperature',
      'unsupported_value',
    );
  }
}

/** https://platform.openai.com/docs/guides/reasoning: reasoning models take no `max_tokens`. */
function checkMaxTokens(request: ChatRequest, model: ServedChatModel): void {
  const { max_tokens: old, max_completion_tokens: current } = request;
  if (model.vendor === 'openai' && model.reasoning !== null && (old ?? null) !== null) {
    throw invalidRequest(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'unsupported_parameter',
    );
  }
  const asked = current ?? old ?? 0;
  if (model.vendor !== 'openai' || asked <= model.maxOutputTokens) return;
  throw invalidRequest(
    `max_tokens is too large: ${asked}. This model supports at most ${model.maxOutputTokens} completion tokens, whereas you provided ${asked}.`,
    'max_tokens',
    'invalid_value',
  );
}

function checkTools(
  { tools, tool_choice: choice, parallel_tool_calls: parallel }: ChatRequest,
  model: ServedChatModel,
): void {
  const names = (tools ?? []).map((tool) => tool.function.name);
  if (names.length === 0) {
    if ((choice ?? 'none') !== 'none') {
      throw invalidRequest(
        "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        'tool_choice',
      );
    }
    if ((parallel ?? null) !== null && model.vendor === 'openai') {
      throw invalidRequest(
        "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
        'parallel_tool_calls',
      );
    }
    return;
  }
  if (typeof choice === 'object' && choice !== null && !names.includes(choice.function.name)) {
    throw invalidRequest(`Tool choice '${choice.function.name}' not found in 'tools' parameter.`, 'tool_choice');
  }
  for (const [i, { function: own }] of (tools ?? []).entries()) {
    const type = own.parameters?.['type'];
    if (own.parameters !== undefined && type !== 'object') {
      throw invalidRequest(
        `Invalid schema for function '${own.name}': schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(type ?? null)}'.`,
        `tools[${i}].function.parameters`,
        'invalid_function_parameters',
      );
    }
    if (own.strict === true) {
      checkStrictSchema(own.parameters ?? {}, `function '${own.name}'`, `tools[${i}].function.parameters`);
    }
  }
}

function checkEffort(
  { tools, reasoning_effort: effort }: ChatRequest,
  { id, vendor, reasoning }: ServedChatModel,
): void {
  const param = 'reasoning_effort';
  if (reasoning === null) {
    if ((effort ?? null) === null || vendor === 'local') return;
    if (vendor === 'mistral') {
      throw unprocessable({ type: 'extra_forbidden', loc: ['body', param], msg: 'Extra inputs are not permitted' });
    }
    throw invalidRequest(
      `Unsupported parameter: '${param}' is not supported with this model.`,
      param,
      'unsupported_parameter',
    );
  }
  if ((effort ?? null) !== null && !reasoning.efforts.includes(String(effort))) {
    throw invalidRequest(
      `Unsupported value: '${param}' does not support '${effort}' with this model. Supported values are: ${listValues(reasoning.efforts)}.`,
      param,
      'unsupported_value',
    );
  }
  if (!reasoning.excludesTools || (tools ?? []).length === 0 || effort === 'none') return;
  throw invalidRequest(
    `Function tools with reasoning_effort are not supported for ${id} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`,
    param,
  );
}

function checkFormat({ response_format: format, messages }: ChatRequest, { vendor, schema }: ServedChatModel): void {
  if (
    format?.type === 'json_object' &&
    vendor !== 'local' &&
    !JSON.stringify(messages).toLowerCase().includes('json')
  ) {
    throw invalidRequest(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      'messages',
    );
  }
  if (format?.type !== 'json_schema') return;
  if (!schema) {
    // https://github.com/llm-exe/llm-exe/issues/662
    throw new ChatApiError(400, 'invalid_request_error', 'This response_format type is unavailable now', {
      code: 'invalid_request_error',
    });
  }
  const { name, schema: own, strict } = format.json_schema;
  if (vendor === 'local' || strict !== true) return;
  checkStrictSchema(own ?? {}, `response_format '${name}'`, 'response_format');
}
