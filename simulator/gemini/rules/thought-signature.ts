import { sha256 } from '../../provider-host/hash.ts';
import { type GoogleError, invalidArgument } from '../api/google-error.ts';

export interface FunctionCall {
  name: string;
  args: Record<string, unknown>;
}

/** A part of the conversation, as far as the rule looks at it. */
interface Part {
  text?: string | undefined;
  thoughtSignature?: string | undefined;
  functionCall?: FunctionCall | undefined;
}

interface Content {
  role?: string | undefined;
  parts: readonly Part[];
}

/** Accepted in place of a signature, for calls that no model of the provider made. */
const PLACEHOLDERS = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'];

/** What a function call of a thinking model comes with: another model cannot read it. */
export function toThoughtSignature({ name, args }: FunctionCall, model: string): string {
  return encode([name, args, model]);
}

/** What a text of a thinking model ends with. It may be left out, and is not checked. */
export function toTextSignature(text: string): string {
  return encode(['', text]);
}

function encode(signed: unknown[]): string {
  return Buffer.from(sha256(JSON.stringify(signed)), 'hex').toString('base64');
}

/**
 * In the current turn, which begins after the last text of the user, each step's first function call must come back with the
 * signature it came with. Calls in parallel to it have none. Earlier turns are not checked.
 * https://ai.google.dev/gemini-api/docs/thought-signatures; the words:
 * https://github.com/manthanabc/paws/issues/103 and https://docs.apiyi.com/en/faq/gemini-thought-signature-missing
 * @throws GoogleError 400
 */
export function checkThoughtSignatures(contents: readonly Content[], model: string): void {
  const turn = contents.findLastIndex(({ role, parts }) => role !== 'model' && parts.some((part) => 'text' in part));
  for (const [i, { role, parts }] of contents.entries()) {
    if (i <= turn || role !== 'model') continue;
    const calls = parts.filter((part) => part.functionCall !== undefined);
    for (const [place, { functionCall, thoughtSignature }] of calls.entries()) {
      if (functionCall === undefined || (place > 0 && thoughtSignature === undefined)) continue;
      if (thoughtSignature === undefined) throw toMissing(functionCall.name, i + 1);
      if (PLACEHOLDERS.includes(thoughtSignature)) continue;
      if (thoughtSignature !== toThoughtSignature({ name: functionCall.name, args: functionCall.args }, model))
        throw invalidArgument('Corrupted thought signature.');
    }
  }
}

function toMissing(name: string, position: number): GoogleError {
  return invalidArgument(
    `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${name}\` , position ${position}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.`,
  );
}
