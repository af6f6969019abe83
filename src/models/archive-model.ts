import type { Usage } from '../../queues/usage.ts';

/** One question to a model that answers from what the prompt holds: no tools, one turn. */
export interface ArchiveRequest {
  model: string;
  system: string;
  prompt: string;
  /** The most it may answer, thinking included. */
  maxTokens: number;
  /** JSON Schema of the reply: `type`, `properties`, `required`, `items`, `enum`, `description`; the rest may be ignored. */
  responseSchema: Record<string, unknown>;
}

/**
 * Why the model stopped. Only `stop` is a whole answer, and even then `text` has yet to be checked.
 * `blocked`: the prompt was refused, nothing was written. `empty`: a normal stop without a word.
 */
export type ArchiveFinish = 'stop' | 'max-tokens' | 'safety' | 'recitation' | 'blocked' | 'empty' | 'other';

export interface ArchiveReply {
  /** What the model wrote, thoughts left out; may be half an answer unless `finish` is `stop`. */
  text: string;
  finish: ArchiveFinish;
  /** The provider's own words for `finish`, such as `SAFETY` or `PROHIBITED_CONTENT`. */
  finishWords: string;
  usage: Usage;
  /** The model that answered, in the provider's words. */
  model: string;
}

/**
 * One key of one provider behind one question. Retries nothing: one `ask` is at most one paid request.
 *
 * Both methods throw `QuotaError` (Gemini) or `RateLimitedError`, `ProviderUnavailableError`, `AccountRefusedError` (this
 * key only: other shards may go on) and `TaskFailedError` (`malformed`: 200 without a readable reply, `model`: a request
 * the provider calls wrong), each with `billed` set; the signal's own reason when it ended the call.
 */
export interface ArchiveModel {
  /** A reply that arrived is returned even if `signal` fired meanwhile: it is paid for. */
  ask(request: ArchiveRequest, options: { signal: AbortSignal }): Promise<ArchiveReply>;
  /** Tokens of the prompt by the provider's own count, free; null where the provider does not count. */
  countTokens(
    request: Pick<ArchiveRequest, 'model' | 'system' | 'prompt'>,
    options: { signal: AbortSignal },
  ): Promise<number | null>;
}
