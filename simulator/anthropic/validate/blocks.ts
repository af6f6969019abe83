import { z } from 'zod';
import { listValues, onUnknownMember, toPlainLocation, unsimulated } from './wording.ts';

/** A cache breakpoint. Null is the same as absent. */
export const cacheControl = z
  .strictObject({
    type: z.literal('ephemeral'),
    ttl: z
      .enum(['5m', '1h'])
      .refine((ttl) => ttl === '5m', {
        error: ({ path }) => `${toPlainLocation(path)}: the simulator keeps entries for '5m' only`,
      })
      .optional(),
  })
  .nullish();

/** The provider's own messages begin with the top-level field, not with the whole path. */
const textContent = z
  .string()
  .refine((text) => text !== '', {
    error: ({ path }) => `${String(path?.[0])}: text content blocks must be non-empty`,
    abort: true,
  })
  .refine((text) => text.trim() !== '', {
    error: ({ path }) => `${String(path?.[0])}: text content blocks must contain non-whitespace text`,
  });

/** A field that the API defines and the simulator does not read. */
export const unread = z.unknown().optional();

const textBlock = z.strictObject({
  type: z.literal('text'),
  text: textContent,
  citations: unread,
  cache_control: cacheControl,
});

const toolUseBlock = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  caller: unread,
  toolset_name: unread,
  cache_control: cacheControl,
});

const toolResultBlock = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  content: z.preprocess(
    (content) => (typeof content === 'string' ? [] : content), // a plain text may be empty
    z.array(z.discriminatedUnion('type', [textBlock], { error: onUnknownMember(describeUnknownBlock) })).optional(),
  ),
  is_error: z.boolean().optional(),
  cache_control: cacheControl,
});

/** A cache breakpoint on thinking is refused, and its signature is required: errors in the wild name both. */
const thinkingBlock = z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() });
const redactedBlock = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() });

const BLOCKS_OF_ROLE = {
  user: [textBlock, toolResultBlock],
  assistant: [textBlock, toolUseBlock, thinkingBlock, redactedBlock],
} as const;
const BLOCK_TYPES = ['text', 'tool_use', 'tool_result', 'thinking', 'redacted_thinking'];

/** `system`: a text, or text blocks. A plain text may be empty. */
export const system = z.preprocess((value) => (typeof value === 'string' ? [] : value), z.array(textBlock).optional());

const message = z.discriminatedUnion('role', [toMessage('user'), toMessage('assistant')], {
  error: onUnknownMember((role, location) =>
    role === 'system'
      ? unsimulated(`${location}.role 'system'`)
      : `${location}.role: Input should be ${listValues(['user', 'assistant'])}`,
  ),
});

export const messages = z.array(message);
/** A message after parsing: a plain text has become a text block. */
export type ParsedMessage = z.output<typeof message>;

function toMessage<Role extends keyof typeof BLOCKS_OF_ROLE>(role: Role) {
  const error = onUnknownMember((type, location) =>
    BLOCK_TYPES.includes(type)
      ? `${location}: \`${type}\` blocks are not allowed in ${role} messages`
      : describeUnknownBlock(type, location),
  );
  const blocks = z.array(z.discriminatedUnion('type', BLOCKS_OF_ROLE[role], { error })).min(1, {
    error: ({ path }) => `${toPlainLocation(path?.slice(0, -1))}: all messages must have non-empty content`,
  });
  return z.strictObject({ role: z.literal(role), content: z.preprocess(toBlocks, blocks) });
}

function toBlocks(content: unknown): unknown {
  if (content === '') return [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function describeUnknownBlock(type: string, location: string): string {
  return unsimulated(`${location}: block type '${type}'`);
}
