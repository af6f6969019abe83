import { z } from 'zod';
import { MatchPlan } from '../../provider-host/match-plan.ts';

/** Which requests to `POST /v1/messages` a fault hits: those for which every given condition holds. */
const matcherSchema = z.strictObject({
  model: z.string().optional(),
  user: z.string().optional(), // `metadata.user_id`: the job's id
  promptIncludes: z.string().min(1).optional(), // in any text or tool result of the conversation
  turn: z.int().min(0).optional(), // assistant messages already in the conversation
  nth: z.int().min(1).optional(), // only the n-th request that meets the conditions above, from 1
  everyNth: z.int().min(1).optional(), // each n-th of them
  probability: z.number().min(0).max(1).optional(), // decided by the simulator's seed
});

/** Refused before the model ran: nothing is billed. */
const ERROR_FAULTS = [
  'authentication', // 401
  'billing', // 402
  'permission', // 403
  'invalid-request', // 400
  'usage-limit', // 400 in the words of a spend limit the account's owner set
  'too-large', // 413
  'rate-limit', // 429; `retryAfter` is the header's value, absent without it
  'spend-limit', // 429 with error_code enforced_spend_limit_reached
  'server-error', // 500
  'unavailable', // 503
  'overloaded', // 529
] as const;

/** The answer is made, and mostly billed, but does not arrive well. */
const TRANSPORT_FAULTS = [
  'reset-before', // the connection is reset instead of serving the request: not billed
  'reset-after', // … after it was served, before the first byte of the answer
  'slow-headers', // the answer starts `delayMs` later than usual
  'stalled-body', // status and headers, then nothing
  'slow-body', // the answer drips over `delayMs`
  'html', // 200 with a page of a gateway that never forwarded the request: not billed
  'broken-json', // 200, cut in the middle
  'empty-object', // 200, `{}`
] as const;

/** A well-formed answer that a caller must not take for a result. All billed. */
const REPLY_FAULTS = [
  'empty-content', // `content: []`, end_turn
  'refusal', // stop_reason refusal
  'cut-off', // stop_reason max_tokens in the middle
  'unknown-tool', // asks for a tool that was not offered
  'bad-tool-input', // asks for an offered tool with an input that breaks its schema
  'thinking', // a thinking block stands before the answer
] as const;

export const faultSchema = z.strictObject({
  kind: z.enum([...ERROR_FAULTS, ...TRANSPORT_FAULTS, ...REPLY_FAULTS]),
  when: matcherSchema.default({}),
  times: z.int().min(1).optional(), // hits at most so often; absent: without end
  retryAfter: z.union([z.number().min(0), z.string()]).optional(), // seconds, or an HTTP date
  delayMs: z.int().min(0).default(1_000),
  message: z.string().optional(), // of the error, instead of the usual one
});

/** As a test writes it; `{ kind: 'overloaded' }` hits every request. */
export type Fault = z.input<typeof faultSchema>;
export type ActiveFault = z.output<typeof faultSchema>;

/** What a matcher can look at. */
export interface FaultFacts {
  model: string;
  user: string | null;
  /** All texts of the conversation; asked for only where a fault looks at them. */
  prompt: () => string;
  turn: number;
}

/** The faults of the Anthropic side. */
export class FaultPlan extends MatchPlan<Fault, ActiveFault, FaultFacts> {
  constructor(faults: readonly Fault[], seed: number) {
    super((fault) => faultSchema.parse(fault), concerns, faults, seed);
  }
}

function concerns({ when }: ActiveFault, facts: FaultFacts): boolean {
  return (
    (when.model === undefined || when.model === facts.model) &&
    (when.user === undefined || when.user === facts.user) &&
    (when.turn === undefined || when.turn === facts.turn) &&
    (when.promptIncludes === undefined || facts.prompt().includes(when.promptIncludes))
  );
}
