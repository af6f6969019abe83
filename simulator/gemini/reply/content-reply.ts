import type { Usage } from '../../../queues/usage.ts';
import { CHARACTERS_PER_TOKEN, estimateTokens } from '../../provider-host/tokens.ts';
import type { ArchiveAnswer } from '../../model/archive/answer.ts';
import type { ActiveGeminiFault } from '../faults/fault.ts';

/** A reply before it gets the provider's shape. */
export interface ContentReply {
  text: string;
  /** Null: no candidate. */
  finishReason: string | null;
  /** Reason of a refused prompt, or null. */
  blockReason: string | null;
  thought: string | null;
  /** Tokens billed for the text, and for thinking. */
  candidatesTokens: number;
  thoughtsTokens: number;
}

/** Applies the reply's fault or marker, then the limit of its length. */
export function finishContent(
  thought: ArchiveAnswer,
  fault: ActiveGeminiFault | null,
  maxOutputTokens: number,
): ContentReply {
  const kind = toKind(thought, fault);
  const whole = kind === 'prose' ? 'Here is what I found, in my own words. (simulated model)' : thought.text;
  const half = whole.slice(0, Math.max(1, Math.floor(whole.length / 2)));
  switch (kind) {
    case 'blocked':
      return { ...toReply('', null), blockReason: 'PROHIBITED_CONTENT' };
    case 'no-candidates':
      return toReply('', null);
    case 'safety':
      return toReply('', 'SAFETY');
    case 'recitation':
      return toReply(half, 'RECITATION');
    case 'max-tokens':
      return toReply(half, 'MAX_TOKENS');
    case 'empty-text':
      return toReply('', 'STOP');
    default:
      return { ...toLimited(whole, maxOutputTokens), thought: kind === 'thinking' ? 'A simulated thought.' : null };
  }
}

function toKind(thought: ArchiveAnswer, fault: ActiveGeminiFault | null): string {
  if (fault !== null) return fault.kind;
  if (thought.markers?.blocked === true) return 'blocked';
  if (thought.markers?.cut === true) return 'max-tokens';
  return thought.markers?.empty === true ? 'empty-text' : 'none';
}

/** Thinking counts against the limit too. The simulator takes a quarter of the text, at least one token. */
function toLimited(text: string, maxOutputTokens: number): ContentReply {
  const whole = toReply(text, 'STOP');
  if (whole.candidatesTokens + whole.thoughtsTokens <= maxOutputTokens) return whole;
  const thoughtsTokens = Math.min(whole.thoughtsTokens, maxOutputTokens);
  const candidatesTokens = maxOutputTokens - thoughtsTokens;
  return {
    ...whole,
    text: text.slice(0, candidatesTokens * CHARACTERS_PER_TOKEN),
    finishReason: 'MAX_TOKENS',
    candidatesTokens,
    thoughtsTokens,
  };
}

function toReply(text: string, finishReason: string | null): ContentReply {
  const candidatesTokens = estimateTokens(text);
  const thoughtsTokens = finishReason === null ? 0 : Math.ceil((candidatesTokens + 1) / 4);
  return { text, finishReason, blockReason: null, thought: null, candidatesTokens, thoughtsTokens };
}

/**
 * The body of a 200. Counts of 0 are left out: protobuf's JSON leaves out default values.
 * https://ai.google.dev/api/generate-content#generatecontentresponse
 */
export function toContentResponse(reply: ContentReply, usage: Usage, model: string, responseId: string): object {
  const parts = [
    ...(reply.thought === null ? [] : [{ text: reply.thought, thought: true }]),
    ...(reply.text === '' ? [] : [{ text: reply.text }]),
  ];
  const candidate = {
    content: { ...(parts.length === 0 ? {} : { parts }), role: 'model' },
    finishReason: reply.finishReason,
    index: 0,
  };
  return {
    ...(reply.finishReason === null ? {} : { candidates: [candidate] }),
    ...(reply.blockReason === null ? {} : { promptFeedback: { blockReason: reply.blockReason } }),
    usageMetadata: toUsageMetadata(reply, usage),
    modelVersion: model,
    responseId,
  };
}

function toUsageMetadata(reply: ContentReply, usage: Usage): object {
  const prompt = usage.input + usage.cache_read;
  const optional = {
    cachedContentTokenCount: usage.cache_read,
    candidatesTokenCount: reply.candidatesTokens,
    thoughtsTokenCount: reply.thoughtsTokens,
  };
  return {
    promptTokenCount: prompt,
    ...Object.fromEntries(Object.entries(optional).filter(([, count]) => count > 0)),
    totalTokenCount: prompt + usage.output,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
  };
}
