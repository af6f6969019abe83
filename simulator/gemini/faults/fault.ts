import { z } from 'zod';
import { MatchPlan } from '../../provider-host/match-plan.ts';
import { GoogleError, invalidKey, serviceDisabled } from '../api/google-error.ts';
import { toQuotaRefusal, type Violation } from '../quota/quota-refusal.ts';

/** Which requests to `generateContent` a fault hits: those for which every given condition holds. */
const matcherSchema = z.strictObject({
  model: z.string().optional(),
  project: z.string().optional(),
  promptIncludes: z.string().min(1).optional(),
  nth: z.int().min(1).optional(), // only the n-th request that meets the conditions above, from 1
  everyNth: z.int().min(1).optional(), // each n-th of them
  probability: z.number().min(0).max(1).optional(), // decided by the simulator's seed
});

/** Refused before the model ran: nothing is billed. */
const ERROR_FAULTS = [
  'invalid-key', // 400 API_KEY_INVALID
  'permission', // 403 SERVICE_DISABLED
  'no-billing', // 400 FAILED_PRECONDITION
  'invalid-request', // 400
  'minute-limit', // 429 PerMinute; `limit` is its quotaValue, `retryMs` its delay
  'day-limit', // 429 PerDay with a short, misleading delay
  'token-limit', // 429 input tokens a minute
  'day-and-minute-limit', // 429 with both, PerMinute first
  'no-free-tier', // 429, every limit 0 and without a value: this model is not on the project's plan
  'bare-429', // 429 without details
  'no-credits', // 429 in the words of an account without money
  'server-error', // 500
  'overloaded', // 503
  'deadline', // 504
] as const;

/** The answer is made, and mostly billed, but does not arrive well. */
const TRANSPORT_FAULTS = [
  'reset-before', // the connection is reset instead of serving the request: not billed
  'reset-after', // … after it was served, before the first byte of the answer
  'hung', // served, and then not a byte
  'slow-headers', // the answer starts `delayMs` later than usual
  'stalled-body', // status and headers, then nothing
  'slow-body', // the answer drips over `delayMs`
  'html', // 200 with a page of a gateway that never forwarded the request: not billed
  'broken-json', // 200, cut in the middle
  'empty-object', // 200, `{}`
] as const;

/** A well-formed answer that a caller must not take for one. All billed. */
const REPLY_FAULTS = [
  'blocked', // promptFeedback.blockReason, no candidates
  'safety', // finishReason SAFETY, no text
  'recitation', // finishReason RECITATION, half a text
  'max-tokens', // finishReason MAX_TOKENS, half a text
  'no-candidates', // neither candidates nor a reason
  'empty-text', // finishReason STOP, no text
  'prose', // text that is no JSON though JSON was asked for
  'no-usage', // no usageMetadata
  'thinking', // a thought stands before the answer
] as const;

export const geminiFaultSchema = z.strictObject({
  kind: z.enum([...ERROR_FAULTS, ...TRANSPORT_FAULTS, ...REPLY_FAULTS]),
  when: matcherSchema.default({}),
  times: z.int().min(1).optional(), // hits at most so often; absent: without end
  delayMs: z.int().min(0).default(1_000),
  limit: z.int().min(0).default(15),
  retryMs: z.number().min(0).default(38_400),
  message: z.string().optional(), // of the error, instead of the usual one
});

/** As a test writes it; `{ kind: 'overloaded' }` hits every request. */
export type GeminiFault = z.input<typeof geminiFaultSchema>;
export type ActiveGeminiFault = z.output<typeof geminiFaultSchema>;

/** What a matcher can look at. */
export interface GeminiFaultFacts {
  model: string;
  project: string;
  prompt: () => string;
}

/** The faults of the Gemini side. */
export class GeminiFaultPlan extends MatchPlan<GeminiFault, ActiveGeminiFault, GeminiFaultFacts> {
  constructor(faults: readonly GeminiFault[], seed: number) {
    super((fault) => geminiFaultSchema.parse(fault), concerns, faults, seed);
  }
}

function concerns({ when }: ActiveGeminiFault, facts: GeminiFaultFacts): boolean {
  return (
    (when.model === undefined || when.model === facts.model) &&
    (when.project === undefined || when.project === facts.project) &&
    (when.promptIncludes === undefined || facts.prompt().includes(when.promptIncludes))
  );
}

/**
 * Whether a request that failed this way has used up quota all the same: the provider bills none that ends in a 400 or
 * 500, but counts it. https://ai.google.dev/gemini-api/docs/billing
 */
export function countsAgainstLimits({ kind }: ActiveGeminiFault): boolean {
  return ['invalid-request', 'server-error', 'overloaded', 'deadline'].includes(kind);
}

/** The error a fault answers with, or null where it lets the request through to the model. */
export function toGeminiFaultError(fault: ActiveGeminiFault, facts: GeminiFaultFacts): GoogleError | null {
  return ERRORS[fault.kind]?.(fault, facts) ?? null;
}

type ToError = (fault: ActiveGeminiFault, facts: GeminiFaultFacts) => GoogleError;

const plain =
  (status: GoogleError['status'], usual: string, statusName?: string): ToError =>
  ({ message }) =>
    new GoogleError(status, message ?? usual, [], statusName);

const quota =
  (toViolations: (limit: number) => Violation[]): ToError =>
  ({ limit, retryMs }, { model }) =>
    toQuotaRefusal(toViolations(limit), { model, tier: 'free', retryMs });

const ERRORS: Partial<Record<ActiveGeminiFault['kind'], ToError>> = {
  'invalid-key': ({ message }) => invalidKey(message),
  permission: (_fault, { project }) => serviceDisabled(project),
  'no-billing': plain(
    400,
    'User location is not supported for the API use without a billing account linked.',
    'FAILED_PRECONDITION',
  ),
  'invalid-request': plain(400, 'Request contains an invalid argument.'),
  'minute-limit': quota((limit) => [{ kind: 'minute', limit }]),
  'day-limit': quota((limit) => [{ kind: 'day', limit }]),
  'token-limit': quota((limit) => [{ kind: 'tokens', limit }]),
  'day-and-minute-limit': quota((limit) => [
    { kind: 'minute', limit: 15 },
    { kind: 'day', limit },
  ]),
  'no-free-tier': quota(() => (['day', 'minute', 'tokens'] as const).map((kind) => ({ kind, limit: null }))),
  'bare-429': plain(429, 'Resource has been exhausted (e.g. check quota).'),
  'no-credits': plain(
    429,
    'Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.',
  ),
  'server-error': plain(500, 'An internal error has occurred. Please retry.'),
  overloaded: plain(503, 'The model is overloaded. Please try again later.'),
  deadline: plain(504, 'Deadline expired before operation could complete.'),
};
