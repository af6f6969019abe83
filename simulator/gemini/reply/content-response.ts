import type { Usage } from '../../../queues/usage.ts';
import { sha256 } from '../../provider-host/hash.ts';
import { cutText } from '../../provider-host/stream/cut-text.ts';
import { toTextSignature, toThoughtSignature } from '../rules/thought-signature.ts';
import { toCallText, type ContentReply } from './content-reply.ts';

const PIECE_CHARACTERS = 100; // of a chunk, at least
const MAX_PIECES = 10; // of a text

/** What the responses of a reply say besides its content. */
export interface ResponseTerms {
  usage: Usage;
  model: string;
  responseId: string;
  /** Whether the reply has thought signatures, and its calls have ids (Gemini 3). */
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
  const signature = terms.signs && reply.calls.length === 0 ? { thoughtSignature: toTextSignature(reply.text) } : {};
  const texts = reply.text === '' ? [] : [{ text: reply.text, ...signature }];
  return toBody(reply, terms, {
    parts: [...toFirstParts(reply), ...texts, ...toCallParts(reply, terms)],
    isLast: true,
  });
}

/**
 * The same as the chunks of a stream: the text in pieces, then a call a chunk, each with the usage so far, and the reason in the
 * last. The signature of a reply without calls comes in an empty text of its own:
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 * https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */
export function toContentChunks(reply: ContentReply, terms: ResponseTerms): ContentChunk[] {
  const pieces = cutText(reply.text, Math.min(PIECE_CHARACTERS, Math.ceil(reply.text.length / 3)), MAX_PIECES);
  const callParts = toCallParts(reply, terms);
  const all = [
    ...pieces.map((text) => ({ part: { text } as Part, size: text.length })),
    ...reply.calls.map((call, i) => ({ part: callParts[i] ?? {}, size: toCallText(call).length })),
  ];
  const total = all.reduce((sum, { size }) => sum + size, 0);
  const chunks = all.length === 0 ? [{ part: null, size: 0 }] : all;
  let characters = 0;
  return chunks.map(({ part, size }, i) => {
    characters += size;
    const isLast = i === chunks.length - 1;
    const candidatesTokens = Math.floor(reply.candidatesTokens * (isLast ? 1 : characters / total));
    const parts = [
      ...(i === 0 ? toFirstParts(reply) : []),
      ...(part === null ? [] : [part]),
      ...(isLast ? toTextEnd(reply, terms) : []),
    ];
    const body = toBody({ ...reply, candidatesTokens }, terms, { parts, isLast });
    return { body, output: reply.thoughtsTokens + candidatesTokens, characters };
  });
}

function toFirstParts({ thought }: ContentReply): Part[] {
  return thought === null ? [] : [{ text: thought, thought: true }];
}

function toTextEnd({ text, calls }: ContentReply, { signs }: ResponseTerms): Part[] {
  return signs && text !== '' && calls.length === 0 ? [{ text: '', thoughtSignature: toTextSignature(text) }] : [];
}

/** Of parallel calls only the first has a signature. Gemini 3 names each with an id. https://ai.google.dev/gemini-api/docs/function-calling */
function toCallParts({ calls }: ContentReply, { signs, model, responseId }: ResponseTerms): Part[] {
  return calls.map((call, i) => ({
    functionCall: { ...(signs && { id: sha256(`${responseId} ${i}`).slice(0, 8) }), ...call },
    ...(signs && i === 0 && { thoughtSignature: toThoughtSignature(call, model) }),
  }));
}

function toBody(
  reply: ContentReply,
  { usage, model, responseId, counts }: ResponseTerms,
  { parts, isLast }: { parts: Part[]; isLast: boolean },
): object {
  const candidate = {
    content: { ...(parts.length === 0 ? {} : { parts }), role: 'model' },
    ...(isLast && { finishReason: reply.finishReason }),
    ...(isLast && reply.finishMessage !== null && { finishMessage: reply.finishMessage }),
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
