/** An error of the API: an error response, or an error inside of a stream. */
export interface ChatRefusal {
  status: number;
  /** `error.type`. */
  type: string;
  /** `error.code`. */
  code: string;
  /** `error.param`. */
  param: string;
  message: string;
}

/** What a refusal is about. `unavailable`: the provider, or a web server in its place. */
export type RefusalKind = 'account' | 'rate' | 'length' | 'refusal' | 'request' | 'model' | 'unavailable';

/** https://platform.openai.com/docs/guides/error-codes */
const ACCOUNT_CODES = new Set([
  'insufficient_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
  'account_deactivated',
  'access_terminated',
  'invalid_api_key',
]);
const ACCOUNT_WORDS =
  /\bexceeded your current quota\b|\binsufficient (?:balance|credits?|quota|funds)\b|\b(?:organi[sz]ation|account) (?:has been|is|was) (?:disabled|deactivated|suspended|not active)\b|\bbilling (?:hard limit|is not active)\b/i;

const LENGTH_CODES = new Set([
  'context_length_exceeded',
  'string_above_max_length',
  '3051',
  'exceed_context_size_error',
]);
/**
 * OpenAI, DeepSeek, vLLM: "maximum context length"; OpenAI: "Input tokens exceed the configured limit"; Mistral: "too large for
 * model with N maximum context length"; llama.cpp: "exceeds the available context size"; vLLM: "longer than the maximum model length".
 */
const LENGTH_WORDS =
  /\bmaximum (?:context|model) length\b|\binput tokens exceed\b|\bexceeds? the (?:available )?context (?:size|window|length)\b|\bcontext (?:the )?overflows\b|\bprompt is too long\b/i;
/** A request above the whole limit of a minute: waiting does not help it. */
const ABOVE_LIMIT_WORDS = /\brequest too large\b/i;

const POLICY_CODES = new Set([
  'content_policy_violation',
  'content_filter',
  'invalid_prompt',
  'ResponsibleAIPolicyViolation',
]);
/** OpenAI: "flagged as potentially violating our usage policy"; OpenRouter, a 403: "requires moderation … and your input was flagged". */
const POLICY_WORDS =
  /\b(?:prompt|input|request) was (?:flagged|rejected)\b|\bflagged (?:for|as)\b|\bcontent management policy\b/i;

const MODEL_CODES = new Set(['model_not_found', 'model_not_available']);
/** A server's words for a model that it does not have: OpenAI, vLLM, Ollama, LM Studio, Mistral. A web server's 404 has none of them. */
const MODEL_WORDS =
  /\bmodel\b.{0,200}\b(?:does not exist|not found|not exist|is not available|is not supported|deprecated|has been (?:deprecated|removed))|\binvalid model\b|\bno endpoints found\b|\bnot a valid model\b/is;

/** Reads a refusal. No other code of this adapter looks at a status or at the provider's words. */
export function toRefusalKind({ status, type, code, message }: ChatRefusal): RefusalKind {
  if (POLICY_CODES.has(code) || ([400, 403].includes(status) && POLICY_WORDS.test(message))) return 'refusal';
  if (MODEL_CODES.has(code)) return 'model';
  if ([401, 402, 403].includes(status)) return 'account';
  if (ACCOUNT_CODES.has(code) || ACCOUNT_CODES.has(type)) return 'account';
  if ([400, 429].includes(status) && ACCOUNT_WORDS.test(message)) return 'account';
  if (status === 429) return ABOVE_LIMIT_WORDS.test(message) ? 'length' : 'rate';
  if (status === 413 || LENGTH_CODES.has(code)) return 'length';
  if ([400, 422].includes(status) && LENGTH_WORDS.test(message)) return 'length';
  if ([400, 404].includes(status) && MODEL_WORDS.test(message)) return 'model';
  if ([400, 422, 431].includes(status)) return 'request';
  // A 404 of a web server is a wrong address: the jobs wait.
  return 'unavailable';
}
