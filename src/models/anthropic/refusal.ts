/** An error response of the API, or an error in a stream. */
export interface RefusalFacts {
  status: number;
  /** `error.type`. */
  type: string | null;
  /** `error.details.error_code`. */
  code: string | null;
  /** `error.message`. */
  message: string;
}

/** What a refusal is about. `unavailable`: the provider, or a web server in its place. */
export type RefusalKind = 'account' | 'rate' | 'thinking' | 'length' | 'request' | 'model' | 'unavailable';

/** Codes of an account that waiting does not help. https://platform.claude.com/docs/en/api/errors */
const ACCOUNT_CODES = new Set([
  'organization_on_hold',
  'cmek_key_disabled',
  'contract_spend_limit_reached',
  'enforced_spend_limit_reached',
  'linked_organization_spend_limit_reached',
]);

/**
 * The same without a code, also as 400 or 429: "You have reached your specified workspace API usage limits", "Your credit
 * balance is too low", "This organization has been disabled.", "Extra usage is required for long context requests."
 */
const ACCOUNT_WORDS = [
  /\b(?:reached|exceeded|hit)\b[^.]{0,80}\b(?:usage|spend(?:ing)?) (?:limits?|cap)\b/i,
  /\b(?:usage|spend(?:ing)?) (?:limits?|cap) (?:has been |is |was )?(?:reached|exceeded)\b/i,
  /\bcredit balance is too low\b/i,
  /\b(?:organi[sz]ation|account|workspace) (?:has been|is|was) (?:currently |temporarily )?(?:disabled|deactivated|suspended|banned|archived|on hold)\b/i,
  /\b(?:usage credits|extra usage) (?:is|are) required\b/i,
];

/** "prompt is too long: 208310 tokens > 200000 maximum", "input length and `max_tokens` exceed context limit: …" */
const LENGTH_WORDS =
  /\b(?:prompt|input|request) is too (?:long|large)\b|\b(?:exceeds?|maximum)\b[^.]{0,60}\bcontext (?:length|limit|window)\b/i;

/**
 * "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation", and DeepSeek's
 * "The `content[].thinking` in the thinking mode must be passed back to the API."
 */
const THINKING_WORDS =
  /\bthinking mode must be passed back\b|\binvalid `?signature`? in `?thinking`? block|\bblock is bound to a different conversation/i;

/** Reads a refusal. No other code of this adapter looks at a status or at the provider's words. */
export function toRefusalKind({ status, type, code, message }: RefusalFacts): RefusalKind {
  if ([401, 402, 403].includes(status) || type === 'billing_error') return 'account';
  if ([400, 429].includes(status) && isAboutAccount(code, message)) return 'account';
  if (status === 429) return 'rate';
  if (status === 400 && THINKING_WORDS.test(message)) return 'thinking';
  if (status === 413 || (status === 400 && LENGTH_WORDS.test(message))) return 'length';
  if ([400, 422, 431].includes(status)) return 'request';
  // A 404 of the API is about the model. A 404 of a web server is a wrong address: the jobs wait.
  if (status === 404 && type === 'not_found_error') return 'model';
  return 'unavailable';
}

function isAboutAccount(code: string | null, message: string): boolean {
  return (code !== null && ACCOUNT_CODES.has(code)) || ACCOUNT_WORDS.some((words) => words.test(message));
}
