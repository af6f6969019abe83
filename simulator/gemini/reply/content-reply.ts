import type { ActiveGeminiFault } from '../faults/fault.ts';
import type { GeminiRules } from '../rules/rules.ts';
import type { FunctionCall } from '../rules/thought-signature.ts';
import type { Declaration } from '../validate/functions.ts';
import type { Said } from './say.ts';
import { toParameters } from './task-conversation.ts';

/** A reply before it gets the provider's shape. */
export interface ContentReply {
  text: string;
  /** Functions that the model calls, after the text. */
  calls: readonly FunctionCall[];
  /** Null: no candidate. */
  finishReason: string | null;
  finishMessage: string | null;
  /** Reason of a refused prompt, or null. */
  blockReason: string | null;
  thought: string | null;
  /** Tokens billed for the text and calls, and for thinking. */
  candidatesTokens: number;
  thoughtsTokens: number;
}

/** What a reply is made from. */
export interface ReplyTerms {
  said: Pick<Said, 'text' | 'calls' | 'spoilt'>;
  /** Functions that the model may call. */
  offered: readonly Declaration[];
  fault: ActiveGeminiFault | null;
  /** Of text, calls and thinking together. */
  maxOutputTokens: number;
  rules: GeminiRules;
  /** @param text tokens of the reply's text. @returns tokens of the thinking before it */
  countThoughts: (text: number) => number;
}

/** Applies the reply's fault or marker, then the limit of its length. */
export function finishContent(terms: ReplyTerms): ContentReply {
  const { said, fault, offered } = terms;
  const kind: string = fault?.kind ?? said.spoilt ?? 'none';
  const whole = kind === 'prose' ? 'Here is what I found, in my own words. (simulated model)' : said.text || 'Well.';
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
    case 'malformed-call':
      return { ...toReply(terms, '', 'MALFORMED_FUNCTION_CALL'), finishMessage: 'Malformed function call: read(' };
    case 'unexpected-call':
      return { ...toReply(terms, '', 'UNEXPECTED_TOOL_CALL'), finishMessage: 'Unexpected tool call' };
    case 'unknown-tool':
      return toLimited(terms, '', [{ name: 'teleport', args: { to: 'nowhere' } }]);
    case 'bad-tool-input':
      return toLimited(terms, said.text, toBadCalls(offered));
    case 'prose':
      return toLimited(terms, whole, []);
    default: {
      const reply = toLimited(terms, said.text, said.calls);
      return { ...reply, thought: kind === 'thinking' ? 'A simulated thought.' : null };
    }
  }
}

/** Cuts thinking, then text, at the limit: thinking counts against it too, and comes first. Calls that do not fit are dropped whole. */
function toLimited(terms: ReplyTerms, text: string, calls: readonly FunctionCall[]): ContentReply {
  const { maxOutputTokens, rules } = terms;
  const whole = toReply(terms, text, 'STOP', calls);
  if (whole.candidatesTokens + whole.thoughtsTokens <= maxOutputTokens) return whole;
  const thoughtsTokens = Math.min(whole.thoughtsTokens, maxOutputTokens);
  const candidatesTokens = maxOutputTokens - thoughtsTokens;
  const cut = rules.cutToTokens(text, candidatesTokens);
  return { ...whole, text: cut, calls: [], finishReason: 'MAX_TOKENS', candidatesTokens, thoughtsTokens };
}

function toReply(
  terms: ReplyTerms,
  text: string,
  finishReason: string | null,
  calls: readonly FunctionCall[] = [],
): ContentReply {
  const candidatesTokens = terms.rules.countTokens([text, ...calls.map(toCallText)].join(''));
  const thoughtsTokens = finishReason === null ? 0 : terms.countThoughts(candidatesTokens);
  return {
    text,
    calls,
    finishReason,
    finishMessage: null,
    blockReason: null,
    thought: null,
    candidatesTokens,
    thoughtsTokens,
  };
}

export function toCallText({ name, args }: FunctionCall): string {
  return `${name}${JSON.stringify(args)}`;
}

/** The first function, with an input that breaks its schema. */
function toBadCalls([first]: readonly Declaration[]): FunctionCall[] {
  if (first === undefined) return [];
  const { required, properties = {} } = toParameters(first);
  const names = Array.isArray(required) ? required.map(String) : Object.keys(properties as object);
  const args = Object.fromEntries(names.map((name) => [name, { not: 'what the schema asks for' }]));
  return [{ name: first.name, args }];
}
