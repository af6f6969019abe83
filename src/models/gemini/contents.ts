import { hash } from 'node:crypto';
import type { Content, Part } from '@google/genai';
import {
  type ContentBlock,
  type Message,
  type Opaque,
  readOpaque,
  type ToolResultBlock,
  type ToolUseBlock,
} from '../format.ts';

/** What this adapter keeps with the blocks of a reply. */
export interface GeminiOpaque extends Opaque {
  api: 'gemini';
  /** Of a call, and of a text that ends a reply. Of parallel calls, only the first has one. */
  thoughtSignature?: string;
  /** Of a text: the signature came in an empty text of its own, and goes back so. */
  isApart?: true;
  /** The provider's id of a call. Absent: it gave none. */
  callId?: string;
  /** Hash of a call's input as it was signed. */
  signed?: string;
}

/** Models that ask for no signature. */
const UNSIGNED = /^gemini-[12]\b/;
/** Taken in place of a signature, for calls that another model made. https://ai.google.dev/gemini-api/docs/thought-signatures */
const PLACEHOLDER = 'skip_thought_signature_validator';

/** How conversations are sent to one model. */
export interface ContentTerms {
  model: string;
  /** False: all signatures are replaced, because the provider has refused one. Default true. */
  withSignatures?: boolean;
}

/**
 * The fleet's messages as the API takes them: two roles in turn, no empty part, and the answers to the calls of a message in
 * their order in the next one. Thinking stays behind: nothing asks for it.
 */
export function toContents(messages: readonly Message[], terms: ContentTerms): Content[] {
  const contents: Content[] = [];
  let calls: ToolUseBlock[] = [];
  for (const { role, content } of messages) {
    const blocks: readonly ContentBlock[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    const isModel = role === 'assistant';
    const parts = isModel
      ? toModelParts(blocks, terms)
      : [...toAnswers(calls, blocks, terms), ...toTexts(blocks, terms)];
    if (isModel) calls = blocks.filter((block) => block.type === 'tool_use');
    else calls = [];
    if (parts.length === 0) continue;
    const last = contents.at(-1);
    const own = isModel ? 'model' : 'user';
    if (last?.role === own) last.parts = [...(last.parts ?? []), ...parts];
    else contents.push({ role: own, parts });
  }
  return contents;
}

/** Hash of a call's input: a signature is sent back only with the input that it signs. */
export function toSignedHash(input: unknown): string {
  return hash('sha256', JSON.stringify(input) ?? '').slice(0, 16);
}

function toModelParts(blocks: readonly ContentBlock[], terms: ContentTerms): Part[] {
  let isFirst = true;
  return blocks.flatMap((block): Part[] => {
    if (block.type === 'text') return toTexts([block], terms);
    if (block.type !== 'tool_use') return [];
    const part = toCallPart(block, terms, isFirst);
    isFirst = false;
    return [part];
  });
}

function toTexts(blocks: readonly ContentBlock[], terms: ContentTerms): Part[] {
  return blocks.flatMap((block): Part[] => {
    if (block.type !== 'text' || block.text.trim() === '') return [];
    const { thoughtSignature, isApart = false } = readOwn(block, terms) ?? {};
    if (thoughtSignature === undefined || terms.withSignatures === false) return [{ text: block.text }];
    if (!isApart) return [{ text: block.text, thoughtSignature }];
    return [{ text: block.text }, { text: '', thoughtSignature }];
  });
}

function toCallPart(block: ToolUseBlock, terms: ContentTerms, isFirst: boolean): Part {
  const own = readOwn(block, terms);
  const args = toRecord(block.input);
  const id = own?.callId;
  const signature = toSignature(own, args, terms, isFirst);
  return {
    functionCall: { ...(id !== undefined && { id }), name: block.name, args },
    ...(signature !== null && { thoughtSignature: signature }),
  };
}

function toSignature(
  own: GeminiOpaque | null,
  args: Record<string, unknown>,
  { model, withSignatures = true }: ContentTerms,
  isFirst: boolean,
): string | null {
  const signature = own?.thoughtSignature;
  if (signature !== undefined && withSignatures && own?.signed === toSignedHash(args)) return signature;
  return isFirst && !UNSIGNED.test(model) ? PLACEHOLDER : null;
}

/** An answer for each call: a result that is missing is told as an error. */
function toAnswers(calls: readonly ToolUseBlock[], blocks: readonly ContentBlock[], terms: ContentTerms): Part[] {
  const results = new Map(
    blocks.flatMap((block) => (block.type === 'tool_result' ? [[block.tool_use_id, block]] : [])),
  );
  return calls.map((call) => {
    const id = readOwn(call, terms)?.callId;
    const response = toResponse(results.get(call.id));
    return { functionResponse: { ...(id !== undefined && { id }), name: call.name, response } };
  });
}

/** The API knows `output` and `error`. https://ai.google.dev/api/caching#FunctionResponse */
function toResponse(result: ToolResultBlock | undefined): Record<string, unknown> {
  if (result === undefined) return { error: 'no result' };
  return result.is_error === true ? { error: result.content } : { output: result.content };
}

function toRecord(input: unknown): Record<string, unknown> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  return { input };
}

function readOwn(block: { opaque?: Opaque }, { model }: ContentTerms): GeminiOpaque | null {
  return readOpaque(block, { api: 'gemini', model }) as GeminiOpaque | null;
}
