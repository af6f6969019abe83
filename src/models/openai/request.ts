import { toWellFormed } from '../../text/well-formed.ts';
import type { ModelRequest } from '../model.ts';
import { toSchemaInstruction } from '../schema-in-text.ts';
import type { ChatDialect } from './dialect.ts';
import { type ChatMessage, toChatMessages } from './messages.ts';
import { toStrictSchema } from './schema.ts';

/** A field that a server may refuse and that a request can do without. */
export const SPARE_FIELDS = [
  'response_format',
  'stream_options',
  'reasoning_effort',
  'reasoning',
  'thinking',
  'user',
  'max_completion_tokens',
  'max_tokens',
  'tool_choice',
] as const;
export type SpareField = (typeof SPARE_FIELDS)[number];

/** The body of a request. https://platform.openai.com/docs/api-reference/chat/create */
export type ChatParams = { model: string; messages: ChatMessage[]; stream: true } & Record<string, unknown>;

/** The request as the dialect takes it. @param refused fields that the server does not take for this model */
export function toChatParams(
  request: ModelRequest,
  dialect: ChatDialect,
  refused: ReadonlySet<SpareField> = new Set(),
): ChatParams {
  const { model, maxTokens, outputSchema, user, effort, abilities } = request;
  const isWithoutChoice = !dialect.readsToolChoice || refused.has('tool_choice');
  const tools = request.toolChoice === 'none' && isWithoutChoice ? [] : request.tools;
  const format = dialect.takesSchema && !refused.has('response_format') ? toFormat(outputSchema) : null;
  const system = [
    ...request.system.map(({ text }) => text),
    ...(outputSchema !== undefined && format === null ? [toSchemaInstruction(outputSchema)] : []),
  ].filter((text) => text !== '');
  const optional: Partial<Record<SpareField, unknown>> = {
    ...dialect.toEffort(model, { effort, hasTools: tools.length > 0, thinks: abilities?.thinking !== false }),
    ...(format !== null && { response_format: format }),
    ...(dialect.asksUsage && { stream_options: { include_usage: true } }),
    ...(dialect.sendsUser && user !== undefined && { user }),
    ...(tools.length > 0 && request.toolChoice === 'none' && { tool_choice: 'none' }),
  };
  return toWellFormed({
    model,
    messages: [
      ...(system.length > 0 ? [{ role: 'system' as const, content: system.join('\n\n') }] : []),
      ...toChatMessages(request.messages, model, dialect),
    ],
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, input_schema: parameters }) => ({
        type: 'function',
        function: { name, description, parameters },
      })),
    }),
    [toMaxTokensField(dialect, refused)]: maxTokens,
    stream: true,
    ...Object.fromEntries(Object.entries(optional).filter(([field]) => !refused.has(field as SpareField))),
  });
}

/** Whether the server holds the reply to the schema, so that it may hold nulls for absent properties. */
export function isStrict(params: ChatParams): boolean {
  return params['response_format'] !== undefined;
}

function toFormat(schema: Record<string, unknown> | undefined): object | null {
  const strict = schema === undefined ? null : toStrictSchema(schema);
  if (strict === null) return null;
  const title = schema?.['title']; // strict schemas have none; the name says what the reply is
  const name = typeof title === 'string' && /^[\w-]{1,64}$/.test(title) ? title : 'reply';
  return { type: 'json_schema', json_schema: { name, strict: true, schema: strict } };
}

function toMaxTokensField({ maxTokens }: ChatDialect, refused: ReadonlySet<SpareField>): SpareField {
  if (!refused.has(maxTokens)) return maxTokens;
  return maxTokens === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
}
