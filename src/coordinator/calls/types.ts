import type { Effort } from '../../../queues/effort.ts';

/**
 * The result of checking a reply: its value, or the problem that the model has to repair. `atWorst`: the value that is taken where the
 * repair does not help, because a person may decide about the problem.
 */
export type Checked<Value> = { ok: true; value: Value } | { ok: false; problem: string; atWorst?: Value };

/** One paid call of the coordinator whose reply is JSON. */
export interface StructuredCall<Value> {
  /**
   * Name of the call within its job: `plan`, `section-3`. A name is paid once in a job; a later run gets the stored
   * reply. Letters, digits, dash.
   */
  name: string;
  /** Catalog id. */
  model: string;
  system: string;
  prompt: string;
  /** JSON Schema with a `title`. The provider itself enforces it (`output_config.format`). */
  schema: Record<string, unknown>;
  /** Most tokens of the reply's text; its thinking has room besides (`toReplyRoom`). Default: the model's own limit. */
  replyTokens?: number;
  /** How much the model thinks. Default: the provider's own default. */
  effort?: Effort | undefined;
  /**
   * Checks the parsed reply. The model gets the problem once. The check may use Redis (a plan is admitted there). After a
   * crash it runs again on the stored reply and must come to the same result.
   */
  check(json: unknown): Checked<Value> | Promise<Checked<Value>>;
}

/**
 * Makes a paid call through the ledger and returns its checked value. After a crash the stored reply is replayed. A reply
 * that is cut is asked for once more with twice the room. A reply that fails the check is returned to the model once with the
 * problem.
 * @throws TaskFailedError `malformed` with the reply if the repair fails the check too and neither has a value `atWorst`, `refusal`, `too-long`; everything that a model call and
 *   the ledger may throw (halt, budget, cool-down, lock lost …)
 */
export type AskStructured = <Value>(call: StructuredCall<Value>) => Promise<Value>;

/** What a person answered when the mission needed them, in the order of the answers. */
export interface Answer {
  /** From 1; cited as `[person-1]`. */
  n: number;
  /** Instant, ISO 8601. */
  at: string;
  by: string;
  /** What the mission had asked, or why it had failed. */
  problem: string;
  text: string;
  /** The mission goes on with fewer done tasks than its quorum. */
  waivesQuorum?: boolean;
}
