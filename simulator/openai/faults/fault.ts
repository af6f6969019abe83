import { z } from 'zod';
import { type FaultFacts, FaultPlan } from '../../provider-host/fault-plan.ts';
import { COMMON_CONDITIONS, COMMON_FIELDS, STREAM_FAULTS, TRANSPORT_FAULTS } from '../../provider-host/fault-schema.ts';

/** Refused before the model runs: nothing is billed. */
const ERROR_FAULTS = [
  'authentication', // 401 invalid_api_key
  'balance', // 402, in DeepSeek's words
  'permission', // 403
  'model-gone', // 404 model_not_found
  'invalid-request', // 400
  'too-long', // 400 context_length_exceeded
  'too-large', // 413
  'content-policy', // 400 invalid_prompt
  'no-schema', // 400: the server does not know `response_format`
  'no-stream-options', // 400: the server does not know `stream_options`
  'rate-limit', // 429 rate_limit_exceeded; `retryAfter` is the header's value
  'quota', // 429 insufficient_quota: the account has no credit left
  'request-too-large', // 429: one request above the limit of tokens a minute
  'server-error', // 500
  'overloaded', // 503
] as const;

/** A well-formed answer that a caller must not take for a result. All are billed. */
const REPLY_FAULTS = [
  'empty-content', // no text and no calls
  'refusal',
  'content-filter', // cut by the provider's filter
  'cut-off', // finish_reason length in the middle
  'unknown-tool',
  'bad-tool-input', // calls an offered tool with an input that breaks its schema
  'bad-tool-json', // arguments that are no JSON
  'repeated-call-ids', // all calls have one id, as some local servers do
  'no-call-ids',
  'stop-with-calls', // finish_reason stop although it calls tools
  'no-usage', // as some local servers do
  'no-finish', // finish_reason is never sent
  'finish-reason', // the whole answer, ended by `finishReason`
] as const;

/** A fault of `POST /v1/chat/completions`. */
export const chatFaultSchema = z.strictObject({
  kind: z.enum([...ERROR_FAULTS, ...TRANSPORT_FAULTS, ...STREAM_FAULTS, ...REPLY_FAULTS]),
  when: z
    .strictObject({
      user: z.string().optional(),
      ...COMMON_CONDITIONS,
    })
    .default({}),
  retryAfter: z.union([z.number().min(0), z.string()]).optional(),
  status: z.int().min(400).max(599).optional(), // of an error, instead of the usual one
  finishReason: z.string().default('insufficient_system_resource'), // of finish-reason
  ...COMMON_FIELDS,
});

/** As a test writes it; `{ kind: 'overloaded' }` hits every request. */
export type ChatFault = z.input<typeof chatFaultSchema>;
export type ActiveChatFault = z.output<typeof chatFaultSchema>;

export interface ChatFacts extends FaultFacts {
  user: string | null;
}

export type ChatFaults = FaultPlan<typeof chatFaultSchema, ChatFacts>;

/** @param seed of faults with a probability. @throws ZodError for a fault that breaks the schema */
export function createChatFaultPlan(faults: readonly ChatFault[], seed: number): ChatFaults {
  return new FaultPlan(chatFaultSchema, faults, seed);
}
