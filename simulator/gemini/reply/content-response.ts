import type { Usage } from '../../../queues/usage.ts';
import { cutText } from '../../provider-host/stream/cut-text.ts';
import { toThoughtSignature } from '../rules/thought-signature.ts';
import type { ContentReply } from './content-reply.ts';

const PIECE_CHARACTERS = 100; // of a chunk, at least
const MAX_PIECES = 10; // of a text

/** What the responses of a reply say besides its content. */
export interface ResponseTerms {
  usage: Usage;
  model: string;
  responseId: string;
  /** Whether a function call comes with a signature. */
  signs: boolean;
  /** Whether the usage is told. */
  counts: boolean;
}

/** A response, and what it completes. */
export interface ContentChunk {
  body: object;
  /** Output tokens billed so far, thinking included. */
  output: number;
  /** UTF-16 code units of text so far. */
  characters: number;
}

type Part = Record<string, unknown>;

/**
 * The body of a 200. https://ai.google.dev/api/generate-content#generatecontentresponse
 */
export function toContentResponse(reply: ContentReply, terms: ResponseTerms): object {
  const texts = reply.text === '' ? [] : [{ text: reply.text }];
  return toBody(reply, terms, {
    parts: [...toFirstParts(reply), ...texts, ...toLastParts(reply, terms)],
    isLast: true,
  });
}

/**
 * The same as the chunks of a stream: the text in pieces, each with the usage so far, and the reason in the last.
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export function toContentChunks(reply: ContentReply, terms: ResponseTerms): ContentChunk[] {
  const pieces = cutText(reply.text, Math.min(PIECE_CHARACTERS, Math.ceil(reply.text.length / 3)), MAX_PIECES);
  const texts = pieces.length === 0 ? [''] : pieces;
  let characters = 0;
  return texts.map((text, i) => {
    characters += text.length;
    const isLast = i === texts.length - 1;
    const share = isLast ? 1 : characters / reply.text.length;
    const candidatesTokens = Math.floor(reply.candidatesTokens * share);
    const parts = [
      ...(i === 0 ? toFirstParts(reply) : []),
      ...(text === '' ? [] : [{ text }]),
      ...(isLast ? toLastParts(reply, terms) : []),
    ];
    const body = toBody({ ...reply, candidatesTokens }, terms, { parts, isLast });
    return { body, output: reply.thoughtsTokens + candidatesTokens, characters };
  });
}

function toFirstParts({ thought }: ContentReply): Part[] {
  return thought === null ? [] : [{ text: thought, thought: true }];
}

function toLastParts({ call }: ContentReply, { signs }: ResponseTerms): Part[] {
  if (call === null) return [];
  return [{ functionCall: call, ...(signs && { thoughtSignature: toThoughtSignature(call) }) }];
}

function toBody(
  reply: ContentReply,
  { usage, model, responseId, counts }: ResponseTerms,
  { parts, isLast }: { parts: Part[]; isLast: boolean },
): object {
  const candidate = {
    content: { ...(parts.length === 0 ? {} : { parts }), role: 'model' },
    ...(isLast && { finishReason: reply.finishReason }),
    index: 0,
  };
  return {
    ...(reply.finishReason === null ? {} : { candidates: [candidate] }),
    ...(reply.blockReason === null ? {} : { promptFeedback: { blockReason: reply.blockReason } }),
    ...(counts && { usageMetadata: toUsageMetadata(reply, usage) }),
    modelVersion: model,
    responseId,
  };
}

/** Counts of 0 are left out: protobuf's JSON leaves out default values. */
function toUsageMetadata({ candidatesTokens, thoughtsTokens }: ContentReply, usage: Usage): object {
  const prompt = usage.input + usage.cache_read;
  const optional = {
    cachedContentTokenCount: usage.cache_read,
    candidatesTokenCount: candidatesTokens,
    thoughtsTokenCount: thoughtsTokens,
  };
  return {
    promptTokenCount: prompt,
    ...Object.fromEntries(Object.entries(optional).filter(([, count]) => count > 0)),
    totalTokenCount: prompt + candidatesTokens + thoughtsTokens,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
  };
}
