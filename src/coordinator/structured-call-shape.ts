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
  /** Whether the parsed reply will do. The problem is told to the model, once. */
  check(json: unknown): { ok: true; value: Value } | { ok: false; problem: string };
}

/**
 * Asks, through the response ledger: reserve, call, store and book in one step, replay after a crash. A reply that does
 * not fit is sent back once with the problem.
 * @throws TaskFailedError `malformed` with the reply attached when the repair does not fit either, and everything a model
 *   call and the ledger may throw (halt, budget, cooling, lock lost …)
 */
export type AskStructured = <Value>(call: StructuredCall<Value>) => Promise<Value>;
