import type { MessagesRequest } from '../../model/types.ts';
import { isObject } from '../../provider-host/json.ts';
import { type ChatMessage, type ChatRequest, toText } from '../validate/fields.ts';

type Message = MessagesRequest['messages'][number];
type Block = Exclude<Message['content'], string>[number];

/** The conversation as the simulated model reads it, which is that of the other dialect. */
export function toMessagesRequest(request: ChatRequest, maxTokens: number): MessagesRequest {
  const { messages, tools, response_format: format } = request;
  const system = messages.filter(({ role }) => role === 'system' || role === 'developer');
  const instructions = system.map(({ content }) => toText(content)).join('\n\n');
  const schema =
    format?.type === 'json_schema'
      ? { title: format.json_schema.name, ...format.json_schema.schema } // the name tells a model what it writes
      : toAskedSchema(instructions);
  return {
    model: request.model,
    max_tokens: maxTokens,
    system: instructions,
    messages: joinRoles(messages.flatMap(toMessage)),
    ...((tools ?? []).length > 0 && {
      tools: (tools ?? []).map(({ function: { name, description = '', parameters = {} } }) => ({
        name,
        description,
        input_schema: { ...parameters, type: 'object' as const },
      })),
      tool_choice: toChoice(request),
    }),
    ...(schema !== undefined && { output_config: { format: { type: 'json_schema' as const, schema } } }),
  };
}

/** A schema that the instructions ask for in words: its JSON is the rest of their text. */
function toAskedSchema(instructions: string): Record<string, unknown> | undefined {
  const json = /\bone JSON value that fits this JSON Schema\b[^\n]*\n(\{.*)$/s.exec(instructions)?.[1];
  return json === undefined ? undefined : toInput(json);
}

function toMessage(message: ChatMessage): Message[] {
  switch (message.role) {
    case 'system':
    case 'developer':
      return [];
    case 'user':
      return [{ role: 'user', content: [{ type: 'text', text: toText(message.content) }] }];
    case 'tool':
      return [{ role: 'user', content: [toResult(message.tool_call_id, toText(message.content))] }];
    case 'assistant': {
      const text = toText(message.content);
      const calls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: json } }): Block => ({
        type: 'tool_use',
        id,
        name,
        input: toInput(json),
      }));
      return [{ role: 'assistant', content: text === '' ? calls : [{ type: 'text', text }, ...calls] }];
    }
  }
}

/** This dialect has no mark for an error; the fleet's adapter writes one before the text. */
function toResult(id: string, text: string): Block {
  const isError = text.startsWith('Error: ');
  return { type: 'tool_result', tool_use_id: id, content: text, ...(isError && { is_error: true }) };
}

function toInput(json: string): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(json);
    return isObject(input) ? input : {};
  } catch {
    return {};
  }
}

/** Messages of one role that follow each other are one message. */
function joinRoles(messages: readonly Message[]): Message[] {
  const joined: { role: 'user' | 'assistant'; content: Block[] }[] = [];
  for (const { role, content } of messages) {
    const blocks = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
    const side = role === 'assistant' ? role : 'user';
    const last = joined.at(-1);
    if (last?.role === side) last.content.push(...blocks);
    else joined.push({ role: side, content: [...blocks] });
  }
  return joined;
}

function toChoice({ tool_choice: choice, parallel_tool_calls: parallel }: ChatRequest): MessagesRequest['tool_choice'] {
  if (choice === 'none') return { type: 'none' };
  const serial = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === 'required') return { type: 'any', ...serial };
  if (typeof choice === 'object' && choice !== null) return { type: 'tool', name: choice.function.name, ...serial };
  return { type: 'auto', ...serial };
}
