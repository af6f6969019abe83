import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Usage } from '../../../queues/usage.ts';
import type { ReplyBlock, TextBlock } from '../format.ts';
import type { ModelReply } from '../model.ts';
import { type GeminiOpaque, toSignedHash } from './contents.ts';
import { readUsage } from './reply.ts';

const partSchema = z.looseObject({
  text: z.string().optional(),
  thought: z.boolean().optional(),
  thoughtSignature: z.string().optional(),
  functionCall: z
    .looseObject({
      id: z.string().optional(),
      name: z.string().min(1),
      args: z.record(z.string(), z.unknown()).default({}),
    })
    .optional(),
});
type Part = z.output<typeof partSchema>;

const responseSchema = z.looseObject({
  candidates: z
    .array(
      z.looseObject({
        content: z.looseObject({ parts: z.array(partSchema).default([]) }).default({ parts: [] }),
        finishReason: z.string().optional(),
      }),
    )
    .default([]),
  promptFeedback: z.looseObject({ blockReason: z.string().optional() }).optional(),
  modelVersion: z.string().optional(),
});

export type CheckedToolReply =
  | { ok: true; reply: ModelReply }
  /** `usage` of the invalid reply, if it could be read: the reply is paid for. */
  | { ok: false; rule: string; usage: Usage | undefined };

/** The words of `ModelReply.stopReason` for https://ai.google.dev/api/generate-content#FinishReason. */
const STOP_REASONS: Record<string, string> = {
  STOP: 'end_turn',
  FUNCTION_CALL: 'end_turn',
  MAX_TOKENS: 'max_tokens',
  SAFETY: 'refusal',
  RECITATION: 'refusal',
  LANGUAGE: 'refusal',
  BLOCKLIST: 'refusal',
  PROHIBITED_CONTENT: 'refusal',
  SPII: 'refusal',
};
/** The provider ends calls with STOP; some addresses that speak its API have a word of their own. */
const WHOLE = new Set(['STOP', 'FUNCTION_CALL']);
/**
 * The model's call could not be read. What came of the reply is none of it: an empty reply, after which a task is asked once more.
 * https://github.com/NousResearch/hermes-agent/pull/83886
 */
const SPOILT = new Set(['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL']);

/** Checks the body of a 200, as `StreamedContent` has put it together. @param model as it was asked */
export function checkToolReply(body: unknown, model: string): CheckedToolReply {
  const usage = readUsage(Reflect.get(Object(body), 'usageMetadata'));
  const parsed = responseSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { ok: false, rule: `${issue?.path.join('.') || 'reply'}: ${issue?.message ?? 'wrong shape'}`, usage };
  }
  if (usage === undefined) return { ok: false, rule: 'usageMetadata is missing', usage };
  const { candidates, promptFeedback, modelVersion = model } = parsed.data;
  const [candidate] = candidates;
  const finish = candidate?.finishReason ?? (promptFeedback?.blockReason === undefined ? 'STOP' : 'SAFETY');
  const content = candidate === undefined || SPOILT.has(finish) ? [] : toBlocks(candidate.content.parts, model);
  return {
    ok: true,
    reply: { id: randomUUID(), model: modelVersion, content, stopReason: toStopReason(finish, content), usage },
  };
}

function toStopReason(finish: string, content: readonly ReplyBlock[]): string {
  if (SPOILT.has(finish)) return 'end_turn';
  const isCall = WHOLE.has(finish) && content.some(({ type }) => type === 'tool_use');
  return isCall ? 'tool_use' : (STOP_REASONS[finish] ?? finish.toLowerCase());
}

/** Pieces of a text become one block. Thoughts are left out: nothing asks for them, and none has to go back. */
function toBlocks(parts: readonly Part[], model: string): ReplyBlock[] {
  const blocks: ReplyBlock[] = [];
  for (const { text, thought, thoughtSignature, functionCall } of parts) {
    const signature = thoughtSignature === undefined || thoughtSignature === '' ? {} : { thoughtSignature };
    if (functionCall !== undefined) {
      const { id: callId, name, args } = functionCall;
      const signed = toSignedHash(args);
      const opaque: GeminiOpaque = { api: 'gemini', model, ...(callId && { callId }), signed, ...signature };
      blocks.push({ type: 'tool_use', id: toId(), name, input: args, opaque });
    } else if (text !== undefined && thought !== true) {
      addText(blocks, text, { api: 'gemini', model, ...signature });
    }
  }
  return blocks;
}

function addText(blocks: ReplyBlock[], text: string, own: GeminiOpaque): void {
  const last = blocks.at(-1);
  const open: TextBlock | null = last?.type === 'text' && last.opaque === undefined ? last : null;
  const isSigned = own.thoughtSignature !== undefined;
  if (text === '') {
    if (isSigned && open !== null) open.opaque = { ...own, isApart: true };
  } else if (open !== null && !isSigned) {
    open.text += text;
  } else {
    blocks.push({ type: 'text', text, ...(isSigned && { opaque: own }) });
  }
}

/** The provider's own ids are short, and older models give none. */
function toId(): string {
  return `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}
