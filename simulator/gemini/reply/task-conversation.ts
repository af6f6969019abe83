import type { MessagesRequest } from '../../model/types.ts';
import { isObject, type JsonObject } from '../../provider-host/json.ts';
import type { Declaration } from '../validate/functions.ts';
import type { ContentRequest, RequestContent } from '../validate/content-request.ts';

type Message = MessagesRequest['messages'][number];
type Block = Exclude<Message['content'], string>[number];

/** The request as the simulated model reads it: in the form of the Messages API, whatever API it came by. */
export function toMessagesRequest(request: ContentRequest, model: string, maxTokens: number): MessagesRequest {
  const { offered, mustCall, schema, system, contents } = request;
  return {
    model,
    max_tokens: maxTokens,
    system,
    messages: contents.map((content, i) => toMessage(content, i)),
    ...(offered.length > 0 && {
      tools: offered.map(toTool),
      tool_choice: { type: mustCall ? ('any' as const) : ('auto' as const) },
    }),
    ...(schema !== null && { output_config: { format: { type: 'json_schema' as const, schema } } }),
  };
}

function toTool(declaration: Declaration): NonNullable<MessagesRequest['tools']>[number] {
  return { name: declaration.name, input_schema: { type: 'object', ...toParameters(declaration) } };
}

/** JSON Schema of a function's input. */
export function toParameters({ parameters, parametersJsonSchema }: Declaration): JsonObject {
  return parametersJsonSchema ?? parameters ?? {};
}

/** A call is named by its place, and so is its answer, which is in the next message. */
function toMessage({ role, parts }: RequestContent, at: number): Message {
  let calls = 0;
  let answers = 0;
  const content = parts.flatMap(({ text, thought, functionCall, functionResponse }): Block[] => {
    if (functionCall !== undefined) {
      return [{ type: 'tool_use', id: `${at}-${calls++}`, name: functionCall.name, input: functionCall.args }];
    }
    if (functionResponse !== undefined) {
      const id = `${at - 1}-${answers++}`;
      return [{ type: 'tool_result', tool_use_id: id, ...toResult(functionResponse.response) }];
    }
    return text === undefined || text === '' || thought === true ? [] : [{ type: 'text', text }];
  });
  return { role: role === 'model' ? 'assistant' : 'user', content };
}

/** `output` and `error` are the names that the API knows. https://ai.google.dev/api/caching#FunctionResponse */
function toResult(response: JsonObject): { content: string; is_error: boolean } {
  const said = response.error ?? response.output ?? response;
  return {
    content: typeof said === 'string' ? said : JSON.stringify(isObject(said) || Array.isArray(said) ? said : [said]),
    is_error: response.error !== undefined,
  };
}
