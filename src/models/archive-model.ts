import type { Usage } from '../../queues/usage.ts';
import type { ModelLimits, OnInput } from './model.ts';

/** One question to a model that answers from the prompt: no tools, one turn. */
export interface ArchiveRequest {
  model: string;
  system: string;
  prompt: string;
  /** Most tokens of the reply, with thoughts. */
  maxTokens: number;
  /** JSON Schema of the reply: `type`, `properties`, `required`, `items`, `enum`, `description`; the rest may be ignored. */
  responseSchema: Record<string, unknown>;
}

/**
 * Why the model stopped. Only `stop` is a whole answer; its `text` is not checked yet. `blocked`: the provider refused the
 * prompt. `empty`: a normal stop without text.
 */
export type ArchiveFinish = 'stop' | 'max-tokens' | 'safety' | 'recitation' | 'blocked' | 'empty' | 'other';

export interface ArchiveReply {
  /** The model's text without thoughts. It may be a part of the answer unless `finish` is `stop`. */
  text: string;
  finish: ArchiveFinish;
  /** The provider's own words for `finish`, such as `SAFETY` or `PROHIBITED_CONTENT`. */
  finishWords: string;
  usage: Usage;
  /** The provider's name of the model that answered. */
  model: string;
}

interface ArchiveCallOptions {
  signal: AbortSignal;
  onInput?: OnInput;
  /** Called at most once, with the limits that the answer states. Shards state none: the gate keeps theirs. */
  onLimits?: (limits: ModelLimits) => void;
}

/**
 * One key of one provider. Retries nothing: one `ask` is at most one paid request.
 *
 * Both methods throw `QuotaError` (Gemini) or `RateLimitedError`, `ProviderUnavailableError`, `AccountRefusedError` (this
 * key only: other shards may work), `PromptTooLongError` and `TaskFailedError` (`malformed`: a 200 without a readable reply,
 * `model`: an unknown model, `too-long`, `request`: any other request that the provider calls invalid), each with `billed` set;
 * the signal's own reason when it ended the call.
 */
export interface ArchiveModel {
  /**
   * A reply that arrived is returned, also if `signal` fired meanwhile: it is paid for.
   * @param options.onInput called with what the stream reports of the prompt, where it does so before its end
   */
  ask(request: ArchiveRequest, options: ArchiveCallOptions): Promise<ArchiveReply>;
  /** The provider's count of the prompt's tokens, which costs nothing; null where the provider does not count. */
  countTokens(
    request: Pick<ArchiveRequest, 'model' | 'system' | 'prompt'>,
    options: { signal: AbortSignal },
  ): Promise<number | null>;
}
