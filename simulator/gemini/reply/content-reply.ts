import type { ArchiveAnswer } from '../../model/archive/answer.ts';
import { fillSchema } from '../../model/schema-fill.ts';
import { isObject } from '../../provider-host/json.ts';
import type { ActiveGeminiFault } from '../faults/fault.ts';
import type { GeminiRules } from '../rules/rules.ts';
import type { FunctionCall } from '../rules/thought-signature.ts';
import type { Declaration } from '../validate/functions.ts';

/** A reply before it gets the provider's shape. */
export interface ContentReply {
  text: string;
  /** A function that the model calls instead of a text. */
  call: FunctionCall | null;
  /** Null: no candidate. */
  finishReason: string | null;
  /** Reason of a refused prompt, or null. */
  blockReason: string | null;
  thought: string | null;
  /** Tokens billed for the text or call, and for thinking. */
  candidatesTokens: number;
  thoughtsTokens: number;
}

/** What a reply is made from. */
export interface ReplyTerms {
  answer: ArchiveAnswer;
  call: FunctionCall | null;
  fault: ActiveGeminiFault | null;
  /** Of text and thinking together. */
  maxOutputTokens: number;
  rules: GeminiRules;
  /** @param text tokens of the reply's text. @returns tokens of the thinking before it */
  countThoughts: (text: number) => number;
}

/** The simulated model calls the first function that it may call, with the smallest input that fits. */
export function toFunctionCall([first]: readonly Declaration[]): FunctionCall | null {
  if (first === undefined) return null;
  const args = fillSchema(first.parametersJsonSchema ?? first.parameters ?? {}, {});
  return { name: first.name, args: isObject(args) ? args : {} };
}

/** Applies the reply's fault or marker, then the limit of its length. */
export function finishContent(terms: ReplyTerms): ContentReply {
  const { answer, fault } = terms;
  const kind = toKind(answer, fault);
  const whole = kind === 'prose' ? 'Here is what I found, in my own words. (simulated model)' : answer.text;
  const half = whole.slice(0, Math.max(1, Math.floor(whole.length / 2)));
  switch (kind) {
    case 'blocked':
      return { ...toReply(terms, '', null), blockReason: 'PROHIBITED_CONTENT' };
    case 'no-candidates':
      return toReply(terms, '', null);
    case 'safety':
      return toReply(terms, '', 'SAFETY');
    case 'recitation':
      return toReply(terms, half, 'RECITATION');
    case 'max-tokens':
      return toReply(terms, half, 'MAX_TOKENS');
    case 'empty-text':
      return toReply(terms, '', 'STOP');
    default:
      return { ...toLimited(terms, whole), thought: kind === 'thinking' ? 'A simulated thought.' : null };
  }
}

function toKind(answer: ArchiveAnswer, fault: ActiveGeminiFault | null): string {
  if (fault !== null) return fault.kind;
  if (answer.markers?.blocked === true) return 'blocked';
  if (answer.markers?.cut === true) return 'max-tokens';
  return answer.markers?.empty === true ? 'empty-text' : 'none';
}

/** Cuts thinking and text at the limit: thinking counts against it too, and comes first. A call is dropped as a whole. */
function toLimited(terms: ReplyTerms, text: string): ContentReply {
  const { call, maxOutputTokens, rules } = terms;
  const whole =
    call === null ? toReply(terms, text, 'STOP') : { ...toReply(terms, toCallText(call), 'STOP'), text: '', call };
  if (whole.candidatesTokens + whole.thoughtsTokens <= maxOutputTokens) return whole;
  const thoughtsTokens = Math.min(whole.thoughtsTokens, maxOutputTokens);
  const candidatesTokens = maxOutputTokens - thoughtsTokens;
  const cut = call === null ? rules.cutToTokens(text, candidatesTokens) : '';
  return { ...whole, text: cut, call: null, finishReason: 'MAX_TOKENS', candidatesTokens, thoughtsTokens };
}

function toReply(terms: ReplyTerms, text: string, finishReason: string | null): ContentReply {
  const candidatesTokens = terms.rules.countTokens(text);
  const thoughtsTokens = finishReason === null ? 0 : terms.countThoughts(candidatesTokens);
  return { text, call: null, finishReason, blockReason: null, thought: null, candidatesTokens, thoughtsTokens };
}

function toCallText({ name, args }: FunctionCall): string {
  return `${name}${JSON.stringify(args)}`;
}
