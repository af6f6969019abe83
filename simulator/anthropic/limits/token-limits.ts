import { ApiError } from '../api/api-error.ts';
import type { Rules } from '../api/rules.ts';
import type { Bucket } from '../../provider-host/bucket.ts';
import {
  type LimitsByModel,
  type MinuteLimit,
  ModelBuckets,
  type Shortage,
} from '../../provider-host/model-buckets.ts';

const KINDS = ['requests', 'inputTokens', 'outputTokens'] as const;
type Kind = (typeof KINDS)[number];

/** `inputTokens`: those of the prompt that are not read from the cache. */
export type TokenLimit = MinuteLimit<Kind>;

export type TokenLimitsByModel = LimitsByModel<Kind>;

const HEADERS: Record<Kind, string> = {
  requests: 'requests',
  inputTokens: 'input-tokens',
  outputTokens: 'output-tokens',
};
const WORDS: Record<Kind, string> = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
};
const ROUNDED_TO: Record<Kind, number> = { requests: 1, inputTokens: 1_000, outputTokens: 1_000 };

/** The first tier that an account has after its first payment. https://platform.claude.com/docs/en/api/rate-limits */
const START_TIER = { requests: 1_000, inputTokens: 2_000_000, outputTokens: 400_000 };
const REAL_DEFAULTS: TokenLimitsByModel = {
  'claude-haiku-5-5': START_TIER,
  'claude-haiku-4-5': START_TIER,
  'claude-sonnet-5-5': START_TIER,
  'claude-sonnet-4-5': START_TIER,
};

const AMPLE = { requests: 100_000, inputTokens: 200_000_000, outputTokens: 40_000_000 };

/** A hundred times the Start tier: for runs whose speed is not bounded by the provider. */
export const AMPLE_LIMITS: TokenLimitsByModel = Object.fromEntries(
  Object.keys(REAL_DEFAULTS).map((model) => [model, AMPLE]),
);

/**
 * Three buckets for each key and model. Cache reads do not count as input, cache writes do; `max_tokens` does not count as
 * output, only what the model says. Refused requests take nothing. https://platform.claude.com/docs/en/api/rate-limits
 */
export class TokenLimits {
  readonly #buckets: ModelBuckets<Kind>;
  readonly #now: () => number;

  /** @param limits instead of the default ones of these models */
  constructor(rules: Rules, limits: TokenLimitsByModel, now: () => number = Date.now) {
    this.#buckets = new ModelBuckets(KINDS, rules === 'real' ? REAL_DEFAULTS : {}, limits);
    this.#now = now;
  }

  /** Replaces the limits; all buckets are full again. */
  set(limits: TokenLimitsByModel): void {
    this.#buckets.set(limits);
  }

  /**
   * Admits one request and takes its input.
   * @param key identifies the caller
   * @param input tokens that count
   * @throws ApiError 429 with `retry-after` in whole seconds, at least 1
   */
  admit(key: string, model: string, input: number): void {
    const now = this.#now();
    const short = this.#buckets.findShort(key, model, { requests: 1, inputTokens: input, outputTokens: 1 }, now);
    if (short !== null) throw this.#refuse(key, model, short);
    const buckets = this.#buckets.open(key, model, now);
    buckets.requests?.take(1, now);
    buckets.inputTokens?.take(input, now);
  }

  /** Takes what the model said. It may put the bucket into debt: how much that is, is known only then. */
  takeOutput(key: string, model: string, output: number): void {
    const now = this.#now();
    this.#buckets.open(key, model, now).outputTokens?.take(output, now);
  }

  /** Of every answer. Numbers of tokens are rounded to the nearest thousand. */
  toHeaders(key: string, model: string): Record<string, string> {
    const now = this.#now();
    const headers: Record<string, string> = {};
    for (const [kind, bucket] of Object.entries(this.#buckets.open(key, model, now)) as [Kind, Bucket][]) {
      const name = `anthropic-ratelimit-${HEADERS[kind]}`;
      const step = ROUNDED_TO[kind];
      const level = Math.max(0, Math.floor(bucket.level(now)));
      headers[`${name}-limit`] = String(bucket.perMinute);
      headers[`${name}-remaining`] = String(Math.min(bucket.perMinute, Math.round(level / step) * step));
      headers[`${name}-reset`] = new Date(Math.ceil(bucket.fullAt(now) / 1_000) * 1_000)
        .toISOString()
        .replace('.000', '');
    }
    return headers;
  }

  #refuse(key: string, model: string, { kind, waitMs }: Shortage<Kind>): ApiError {
    const limit = (this.#buckets.limitOf(model, kind) ?? 0).toLocaleString('en-US');
    const message = `This request would exceed your organization's rate limit of ${limit} ${WORDS[kind]} per minute (model: ${model}). For details, refer to: https://docs.claude.com/en/api/rate-limits.`;
    const headers = { ...this.toHeaders(key, model), 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) };
    return new ApiError(429, 'rate_limit_error', message, { headers });
  }
}
