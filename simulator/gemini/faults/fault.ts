import { z } from 'zod';
import { type FaultFacts, FaultPlan } from '../../provider-host/fault-plan.ts';
import { COMMON_CONDITIONS, COMMON_FIELDS, STREAM_FAULTS, TRANSPORT_FAULTS } from '../../provider-host/fault-schema.ts';

/** Refused before the model runs: nothing is billed. */
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

/** A well-formed answer that a caller must not take for a result. All are billed. */
const REPLY_FAULTS = [
  'blocked', // promptFeedback.blockReason, no candidates
  'safety', // finishReason SAFETY, no text
  'recitation', // finishReason RECITATION, half a text
  'max-tokens', // finishReason MAX_TOKENS, half a text
  'no-candidates', // neither candidates nor a reason
  'empty-text', // finishReason STOP, no text
  'prose', // text that is not JSON though JSON was asked for
  'no-usage', // no usageMetadata
  'thinking', // a thought comes before the answer
  'malformed-call', // finishReason MALFORMED_FUNCTION_CALL, no parts
  'unexpected-call', // finishReason UNEXPECTED_TOOL_CALL, no parts
  'unknown-tool', // calls a function that was not offered
  'bad-tool-input', // calls an offered function with an input that breaks its schema
] as const;

/** A fault of `generateContent`. */
export const geminiFaultSchema = z.strictObject({
  kind: z.enum([
    ...ERROR_FAULTS,
    ...TRANSPORT_FAULTS,
    ...STREAM_FAULTS, // of server-sent events; this provider sends no pings
    'hung', // served, and then not a byte
    ...REPLY_FAULTS,
  ]),
  when: z
    .strictObject({
      project: z.string().optional(),
      ...COMMON_CONDITIONS,
    })
    .default({}),
  limit: z.int().min(0).default(15), // requests or tokens, of the quota faults
  retryMs: z.number().min(0).default(38_400), // of the quota faults
  ...COMMON_FIELDS,
});

/** As a test writes it; `{ kind: 'overloaded' }` hits every request. */
export type GeminiFault = z.input<typeof geminiFaultSchema>;
export type ActiveGeminiFault = z.output<typeof geminiFaultSchema>;

/** What the conditions of a fault look at. */
export interface GeminiFacts extends FaultFacts {
  project: string;
}

export type GeminiFaults = FaultPlan<typeof geminiFaultSchema, GeminiFacts>;

/** @param seed of faults with a probability. @throws ZodError for a fault that breaks the schema */
export function createGeminiFaultPlan(faults: readonly GeminiFault[], seed: number): GeminiFaults {
  return new FaultPlan(geminiFaultSchema, faults, seed);
}
