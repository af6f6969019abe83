import type { ReplyBlock } from '../format.ts';
import { z } from 'zod';
import type { BilledUsage } from '../../errors.ts';
import type { ModelReply } from '../model.ts';
import type { Usage } from '../../../queues/usage.ts';

/** The blocks that the fleet's requests allow; it uses no server tools. Loose, because a block is sent back unchanged. */
const blockSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({
    type: z.literal('tool_use'),
    id: z.string().min(1),
    name: z.string().min(1),
    input: z.record(z.string(), z.unknown()),
  }),
  z.looseObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string().optional() }),
  z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() }),
]);

const tokens = z.int().nonnegative();

const usageSchema = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_creation_input_tokens: tokens.nullish(),
  cache_read_input_tokens: tokens.nullish(),
  inference_geo: z.string().nullish(),
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
  /** `usage` of the invalid reply, if it could be read: the reply is paid for. */
  | { ok: false; rule: string; usage: BilledUsage | undefined };

/**
 * Checks the body of a 200. The SDK returns any body: a string for an HTML page, `{}` as a message.
 * An empty `content` is valid: the API may send it, with a usage to book.
 */
export function checkReply(body: unknown): CheckedReply {
  const parsed = messageSchema.safeParse(body);
  if (parsed.success) {
    const { id, model, stop_reason: stopReason, usage } = parsed.data;
    // The schema has checked the cast, except fields that the fleet does not read (citations, caller).
    const content = parsed.data.content as unknown as ReplyBlock[];
    return { ok: true, reply: { id, model, content, stopReason, usage: toUsage(usage), ...toGeo(usage) } };
  }
  const issue = parsed.error.issues[0];
  const rule =
    body === null || typeof body !== 'object'
      ? `expected a JSON object, got ${body === null ? 'null' : typeof body}`
      : `${issue?.path.join('.') || 'reply'}: ${issue?.message ?? 'wrong shape'}`;
  const usage: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'usage') : undefined;
  return { ok: false, rule, usage: readUsage(usage) };
}

/** The usage of a reply that is not whole; undefined: it cannot be read. */
export function readUsage(usage: unknown): BilledUsage | undefined {
  const parsed = usageSchema.safeParse(usage);
  return parsed.success ? { ...toUsage(parsed.data), ...toGeo(parsed.data) } : undefined;
}

function toGeo({ inference_geo: geo }: z.output<typeof usageSchema>): { geo?: string } {
  return geo === undefined || geo === null || geo === '' ? {} : { geo };
}

function toUsage(usage: z.output<typeof usageSchema>): Usage {
  return {
    input: usage.input_tokens,
    cache_write: usage.cache_creation_input_tokens ?? 0,
    cache_read: usage.cache_read_input_tokens ?? 0,
    output: usage.output_tokens,
  };
}
