import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import type { ModelReply } from '../model.ts';
import type { Usage } from '../../../queues/usage.ts';

/** Blocks the fleet can ask for: no server tools, so none of theirs. Loose, because a block goes back as it came. */
const blockSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({
    type: z.literal('tool_use'),
    id: z.string().min(1),
    name: z.string().min(1),
    input: z.record(z.string(), z.unknown()),
  }),
  z.looseObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
  z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() }),
]);

const tokens = z.int().nonnegative();

const usageSchema = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_creation_input_tokens: tokens.nullish(),
  cache_read_input_tokens: tokens.nullish(),
});

const messageSchema = z.looseObject({
  id: z.string().min(1),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string().min(1),
  content: z.array(blockSchema),
  stop_reason: z.string().min(1),
  usage: usageSchema,
});

export type CheckedReply =
  | { ok: true; reply: ModelReply }
  /** `usage` is what it cost all the same, where at least that could be read. */
  | { ok: false; rule: string; usage: Usage | undefined };

/**
 * Checks what a 200 brought. The SDK hands through anything: a string for an HTML page, `{}` as a message.
 * Empty `content` passes: the API may answer so, and such a reply has a usage to book.
 */
export function checkReply(body: unknown): CheckedReply {
  const parsed = messageSchema.safeParse(body);
  if (parsed.success) {
    const { id, model, stop_reason: stopReason, usage } = parsed.data;
    // The schema has just proved what the cast says, apart from fields no code of ours reads (citations, caller).
    const content = parsed.data.content as unknown as Anthropic.ContentBlock[];
    return { ok: true, reply: { id, model, content, stopReason, usage: toUsage(usage) } };
  }
  const issue = parsed.error.issues[0];
  const rule =
    body === null || typeof body !== 'object'
      ? `expected a JSON object, got ${body === null ? 'null' : typeof body}`
      : `${issue?.path.join('.') || 'reply'}: ${issue?.message ?? 'wrong shape'}`;
  const usage = z.object({ usage: usageSchema }).safeParse(body);
  return { ok: false, rule, usage: usage.success ? toUsage(usage.data.usage) : undefined };
}

function toUsage(usage: z.output<typeof usageSchema>): Usage {
  return {
    input: usage.input_tokens,
    cache_write: usage.cache_creation_input_tokens ?? 0,
    cache_read: usage.cache_read_input_tokens ?? 0,
    output: usage.output_tokens,
  };
}
