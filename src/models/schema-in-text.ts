import type { ModelReply, ModelRequest } from './model.ts';

const FENCED = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?\s*```\s*$/i;

/** The instruction that takes the place of a schema which the provider does not enforce. */
export function toSchemaInstruction(schema: Record<string, unknown>): string {
  return `Your whole reply is one JSON value that fits this JSON Schema, without a word or a fence around it:\n${JSON.stringify(schema)}`;
}

/** The same request to a model that no schema can be given to: the prompt describes the reply's shape. */
export function withSchemaInText(request: ModelRequest): ModelRequest {
  const { outputSchema, ...rest } = request;
  if (outputSchema === undefined) return request;
  return { ...rest, system: [...request.system, { type: 'text', text: toSchemaInstruction(outputSchema) }] };
}

/** The reply without a fence around its text, which such models like to add. */
export function withoutFence(reply: ModelReply): ModelReply {
  const texts = reply.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  const [, inside] = FENCED.exec(texts.join('')) ?? [];
  if (inside === undefined) return reply;
  const first = reply.content.findIndex((block) => block.type === 'text');
  const content = reply.content
    .filter((block, i) => block.type !== 'text' || i === first)
    .map((block) => (block.type === 'text' ? { ...block, text: inside } : block));
  return { ...reply, content };
}
