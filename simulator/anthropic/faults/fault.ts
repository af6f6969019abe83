import { z } from 'zod';
import { type FaultFacts, FaultPlan } from '../../provider-host/fault-plan.ts';
import { COMMON_CONDITIONS, COMMON_FIELDS, STREAM_FAULTS, TRANSPORT_FAULTS } from '../../provider-host/fault-schema.ts';

/** Refused before the model runs: nothing is billed. */
const ERROR_FAULTS = [
  'authentication', // 401
  'billing', // 402
  'permission', // 403
  'invalid-request', // 400
  'usage-limit', // 400 in the words of a spend limit that the account's owner set
  'usage-limits', // 429 without a code, in the words of a limit that the account reached
  'organization-disabled', // 400
  'prompt-too-long', // 400
  'bound-thinking', // 400
  'too-large', // 413
  'rate-limit', // 429; `retryAfter` is the header's value, absent without it
  'spend-limit', // 429 with error_code enforced_spend_limit_reached
  'server-error', // 500
  'unavailable', // 503
  'overloaded', // 529
] as const;

/** A well-formed answer that a caller must not take for a result. All are billed. */
const REPLY_FAULTS = [
  'empty-content', // `content: []`, end_turn
  'refusal', // stop_reason refusal
  'cut-off', // stop_reason max_tokens in the middle
  'unknown-tool', // calls a tool that was not offered
  'bad-tool-input', // calls an offered tool with an input that breaks its schema
  'thinking', // a thinking block comes before the answer
  'stop-reason', // the whole answer, ended by `stopReason`
] as const;

/** A fault of `POST /v1/messages`. */
export const faultSchema = z.strictObject({
  kind: z.enum([...ERROR_FAULTS, ...TRANSPORT_FAULTS, ...STREAM_FAULTS, ...REPLY_FAULTS]),
  when: z
    .strictObject({
      user: z.string().optional(), // `metadata.user_id`: the job's id
      ...COMMON_CONDITIONS,
    })
    .default({}),
  retryAfter: z.union([z.number().min(0), z.string()]).optional(), // seconds, or an HTTP date; 0 and a past date occur
  status: z.int().min(400).max(599).optional(), // of an error, instead of the usual one; its type follows
  stopReason: z.string().default('pause_turn'), // of stop-reason
  errorType: z.string().default('api_error'), // of error-mid-stream, such as rate_limit_error
  ...COMMON_FIELDS,
});

/** As a test writes it; `{ kind: 'overloaded' }` hits every request. */
export type Fault = z.input<typeof faultSchema>;
export type ActiveFault = z.output<typeof faultSchema>;

/** What the conditions of a fault look at. */
export interface AnthropicFacts extends FaultFacts {
  user: string | null;
}

export type AnthropicFaults = FaultPlan<typeof faultSchema, AnthropicFacts>;

/** @param seed of faults with a probability. @throws ZodError for a fault that breaks the schema */
export function createFaultPlan(faults: readonly Fault[], seed: number): AnthropicFaults {
  return new FaultPlan(faultSchema, faults, seed);
}
