/** What a check says of a reply: its value, or what the model should mend. */
export type Checked<Value> = { ok: true; value: Value } | { ok: false; problem: string };

/** One paid question of the coordinator whose answer is JSON. */
export interface StructuredCall<Value> {
  /**
   * Names the call within its job: `plan`, `section-3`. The same name of the same job is paid once; a restarted job
   * gets the stored reply. Letters, digits, dash.
   */
  name: string;
  /** Catalog id. */
  model: string;
  system: string;
  prompt: string;
  /** JSON Schema with a `title`, held to by the provider itself (`output_config.format`). */
  schema: Record<string, unknown>;
  /** Most tokens of the reply; default what the model can. */
  maxTokens?: number;
  /**
   * Whether the parsed reply will do. The problem is told to the model, once. It may ask Redis (a plan is admitted there),
   * and is asked again about a stored reply after a crash: the same reply must come to the same end.
   */
  check(json: unknown): Checked<Value> | Promise<Checked<Value>>;
}

/**
 * Asks, through the response ledger: reserve, call, store and book in one step, replay after a crash. A reply that does
 * not fit is sent back once with the problem.
 * @throws TaskFailedError `malformed` with the reply attached when the repair does not fit either, and everything a model
 *   call and the ledger may throw (halt, budget, cooling, lock lost …)
 */
export type AskStructured = <Value>(call: StructuredCall<Value>) => Promise<Value>;
