import { parseArchivePrompt } from '../model/archive/archive-prompt.ts';
import { toErrorText } from '../provider-host/error-text.ts';
import { type Exchange, readBody } from '../provider-host/exchange.ts';
import { sha256 } from '../provider-host/hash.ts';
import { parseJson } from '../provider-host/json.ts';
import { invalidArgument } from './api/google-error.ts';
import type { ServedGemini } from './api/served-models.ts';
import type { ContentRecord } from './content-log.ts';
import type { GeminiRules } from './rules/rules.ts';
import { type ContentRequest, readContentRequest } from './validate/content-request.ts';
import { checkWellFormed } from './validate/well-formed.ts';

export const MAX_BODY_BYTES = 20 * 1024 * 1024; // the provider's error names it: "exceeds the limit: 20971520 bytes"

/** Reads and checks the body of either endpoint. `countTokens` may have it in `generateContentRequest`. @throws GoogleError 400 */
export async function readPrompt(
  exchange: Exchange,
  { strict }: GeminiRules,
  served: ServedGemini,
): Promise<ContentRequest> {
  const bytes = await readBody(exchange.req, MAX_BODY_BYTES);
  const body = toValue(bytes);
  if (strict) checkWellFormed(bytes, body);
  const wrapped = typeof body === 'object' && body !== null && 'generateContentRequest' in body;
  return readContentRequest(wrapped ? body.generateContentRequest : body, strict ? served : null);
}

/** Tokens of the prompt: what `countTokens` tells, and what `generateContent` counts and bills. */
export function countPrompt({ countedText }: ContentRequest, rules: GeminiRules): number {
  return rules.countTokens(countedText);
}

/** Notes hash and question in the log. @returns the hash */
export function describePrompt(record: ContentRecord, request: ContentRequest): string {
  const hash = sha256(request.countedText).slice(0, 24);
  record.promptHash = hash;
  record.taskHash = sha256(JSON.stringify(request.contents[0] ?? {})).slice(0, 16);
  record.turn = countTurns(request);
  record.question = parseArchivePrompt(request.prompt.slice(-40_000)).question?.trim().slice(0, 200) ?? null;
  return hash;
}

/** Messages of the model in the conversation. */
export function countTurns({ contents }: ContentRequest): number {
  return contents.filter(({ role }) => role === 'model').length;
}

function toValue(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch (cause) {
    throw invalidArgument(`Invalid JSON payload received. ${toErrorText(cause)}`);
  }
}
