import { z } from 'zod';
import type { ArchiveFinish, ArchiveReply } from '../archive-model.ts';
import type { Usage } from '../../../queues/usage.ts';

const tokens = z.int().nonnegative().default(0); // the API omits what is 0

const usageSchema = z.looseObject({
  promptTokenCount: tokens,
  cachedContentTokenCount: tokens,
  candidatesTokenCount: tokens,
  thoughtsTokenCount: tokens,
  toolUsePromptTokenCount: tokens,
});

const responseSchema = z.looseObject({
  candidates: z
    .array(
      z.looseObject({
        content: z
          .looseObject({
            parts: z.array(z.looseObject({ text: z.string().optional(), thought: z.boolean().optional() })).default([]),
          })
          .default({ parts: [] }),
        finishReason: z.string().optional(),
        finishMessage: z.string().optional(),
      }),
    )
    .default([]),
  promptFeedback: z
    .looseObject({ blockReason: z.string().optional(), blockReasonMessage: z.string().optional() })
    .optional(),
  usageMetadata: usageSchema,
  modelVersion: z.string().optional(),
});
type Response = z.output<typeof responseSchema>;

export type CheckedContent =
  | { ok: true; reply: ArchiveReply }
  /** `usage` of the invalid reply, if it could be read: the reply is paid for. */
  | { ok: false; rule: string; usage: Usage | undefined };

/** The provider's finish reasons, by https://ai.google.dev/api/generate-content#FinishReason. */
const FINISHES: Record<string, ArchiveFinish> = {
  STOP: 'stop',
  MAX_TOKENS: 'max-tokens',
  SAFETY: 'safety',
  PROHIBITED_CONTENT: 'safety',
  BLOCKLIST: 'safety',
  SPII: 'safety',
  RECITATION: 'recitation',
};

/** Checks the body of a 200: neither SDK does. */
export function checkContent(body: unknown, model: string): CheckedContent {
  const parsed = responseSchema.safeParse(body);
  if (parsed.success) return { ok: true, reply: toReply(parsed.data, model) };
  const issue = parsed.error.issues[0];
  const usage = z.object({ usageMetadata: usageSchema }).safeParse(body);
  return {
    ok: false,
    rule: `${issue?.path.join('.') || 'reply'}: ${issue?.message ?? 'wrong shape'}`,
    usage: usage.success ? toUsage(usage.data.usageMetadata) : undefined,
  };
}

function toReply(response: Response, model: string): ArchiveReply {
  const candidate = response.candidates[0];
  const parts = candidate?.content.parts ?? [];
  const text = parts.map((part) => (part.thought === true ? '' : (part.text ?? ''))).join('');
  const usage = toUsage(response.usageMetadata);
  const reply = { text, usage, model: response.modelVersion ?? model };
  const { blockReason, blockReasonMessage } = response.promptFeedback ?? {};
  if (candidate === undefined && blockReason !== undefined) {
    return { ...reply, finish: 'blocked', finishWords: join(blockReason, blockReasonMessage) };
  }
  if (candidate === undefined) return { ...reply, finish: 'empty', finishWords: 'no candidates' };
  const { finishReason = 'no finish reason', finishMessage } = candidate;
  const finish = FINISHES[finishReason] ?? 'other';
  const finishWords = join(finishReason, finishMessage);
  return { ...reply, finish: finish === 'stop' && text.trim() === '' ? 'empty' : finish, finishWords };
}

/** The usage of a chunk or reply; undefined: it cannot be read. */
export function readUsage(metadata: unknown): Usage | undefined {
  const parsed = usageSchema.safeParse(metadata);
  return parsed.success ? toUsage(parsed.data) : undefined;
}

/** `promptTokenCount` includes tokens from the cache; thoughts are billed as output. */
function toUsage(usage: z.output<typeof usageSchema>): Usage {
  const cache_read = Math.min(usage.cachedContentTokenCount, usage.promptTokenCount);
  return {
    input: usage.promptTokenCount - cache_read + usage.toolUsePromptTokenCount,
    cache_write: 0,
    cache_read,
    output: usage.candidatesTokenCount + usage.thoughtsTokenCount,
  };
}

function join(reason: string, message: string | undefined): string {
  return message === undefined ? reason : `${reason}: ${message}`;
}
