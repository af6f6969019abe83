import type { Bucket } from '../../provider-host/bucket.ts';
import { type LimitsByModel, ModelBuckets, type Shortage } from '../../provider-host/model-buckets.ts';
import { ChatApiError } from '../api/api-error.ts';

const KINDS = ['requests', 'tokens'] as const;
type Kind = (typeof KINDS)[number];

/** By model. `tokens`: prompt and reply together. */
export type ChatLimitsByModel = LimitsByModel<Kind>;

const WORDS: Record<Kind, string> = { requests: 'requests per min (RPM)', tokens: 'tokens per min (TPM)' };

/** OpenAI's first tier that is paid. https://developers.openai.com/api/docs/models/gpt-5.6-luna */
const TIER_1 = { requests: 500, tokens: 500_000 };
const REAL_DEFAULTS: ChatLimitsByModel = {
  'gpt-6-luna': TIER_1,
  'gpt-6-sol': TIER_1,
  'gpt-6-astra': TIER_1,
  'gpt-5.4-mini': TIER_1,
  'gpt-5.4-nano': TIER_1,
  'gpt-5.6-luna': TIER_1,
  'gpt-5.6-terra': TIER_1,
  'gpt-5.6-sol': TIER_1,
  'gpt-5-mini': TIER_1,
  'gpt-4.1-mini': { requests: 500, tokens: 200_000 },
  'mistral-large-2512': { requests: 360, tokens: 500_000 },
  'mistral-medium-3-5': { requests: 360, tokens: 500_000 },
  'mistral-small-2603': { requests: 360, tokens: 500_000 },
}; // DeepSeek states no limits, and a local server has none

/** For runs whose speed is not bounded by the provider. */
export const AMPLE_CHAT_LIMITS: ChatLimitsByModel = Object.fromEntries(
  Object.keys(REAL_DEFAULTS).map((model) => [model, { requests: 100_000, tokens: 200_000_000 }]),
);

/**
 * Two buckets for each key and model. A request takes what its prompt has or what its reply may have, whichever is more; one
 * that is refused takes nothing. https://platform.openai.com/docs/guides/rate-limits
 */
export class ChatLimits {
  readonly #buckets: ModelBuckets<Kind>;
  readonly #now: () => number;

  /** @param limits instead of the default ones of these models */
  constructor(limits: ChatLimitsByModel, now: () => number = Date.now) {
    this.#buckets = new ModelBuckets(KINDS, REAL_DEFAULTS, limits);
    this.#now = now;
  }

  /** Replaces the limits; all buckets are full again. */
  set(limits: ChatLimitsByModel): void {
    this.#buckets.set(limits);
  }

  /** Admits one request and takes its tokens. @throws ChatApiError 429 */
  admit(key: string, model: string, tokens: number): void {
    const now = this.#now();
    const asked: Record<Kind, number> = { requests: 1, tokens };
    const most = this.#buckets.limitOf(model, 'tokens');
    if (most !== null && tokens > most) {
      const words = `Request too large for ${model} in organization org-simulated on ${WORDS.tokens}: Limit ${most}, Requested ${tokens}. The input or output tokens must be reduced in order to run successfully. Visit https://platform.openai.com/account/rate-limits to learn more.`;
      throw new ChatApiError(429, 'tokens', words, {
        code: 'rate_limit_exceeded',
        headers: this.toHeaders(key, model),
      });
    }
    const short = this.#buckets.findShort(key, model, asked, now);
    if (short !== null) throw this.#refuse(key, model, short, asked[short.kind]);
    const buckets = this.#buckets.open(key, model, now);
    for (const kind of KINDS) buckets[kind]?.take(asked[kind], now);
  }

  /** Of every answer. https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers */
  toHeaders(key: string, model: string): Record<string, string> {
    const now = this.#now();
    const headers: Record<string, string> = {};
    for (const [kind, bucket] of Object.entries(this.#buckets.open(key, model, now)) as [Kind, Bucket][]) {
      const level = Math.max(0, Math.floor(bucket.level(now)));
      headers[`x-ratelimit-limit-${kind}`] = String(bucket.perMinute);
      headers[`x-ratelimit-remaining-${kind}`] = String(Math.min(bucket.perMinute, level));
      headers[`x-ratelimit-reset-${kind}`] = toDuration(bucket.fullAt(now) - now);
    }
    return headers;
  }

  #refuse(key: string, model: string, { kind, waitMs }: Shortage<Kind>, asked: number): ChatApiError {
    const limit = this.#buckets.limitOf(model, kind) ?? 0;
    const wait = Math.max(1, Math.ceil(waitMs));
    const words = `Rate limit reached for ${model} in organization org-simulated on ${WORDS[kind]}: Limit ${limit}, Requested ${asked}. Please try again in ${toDuration(wait)}. Visit https://platform.openai.com/account/rate-limits to learn more.`;
    const headers = {
      ...this.toHeaders(key, model),
      'retry-after': String(Math.ceil(wait / 1_000)),
      'retry-after-ms': String(wait),
    };
    return new ChatApiError(429, kind, words, { code: 'rate_limit_exceeded', headers });
  }
}

/** `20ms`, `1.2s`, `6m0s`, as the provider writes a span. */
function toDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.ceil(ms))}ms`;
  const seconds = Math.ceil(ms) / 1_000;
  if (seconds < 60) return `${Number(seconds.toFixed(3))}s`;
  return `${Math.floor(seconds / 60)}m${Number((seconds % 60).toFixed(3))}s`;
}
