import { ApiError } from '../api/api-error.ts';

/**
 * Requests per sliding window and model. Refused requests do not count. Header names:
 * https://docs.claude.com/en/api/rate-limits
 */
export class MinuteLimits {
  #perModel: Record<string, number>;
  readonly #windowMs: number;
  readonly #now: () => number;
  readonly #starts = new Map<string, number[]>(); // model → instants in ms, oldest first

  /** @param windowMs length of the provider's minute; shorter only in tests */
  constructor(perModel: Record<string, number>, windowMs = 60_000, now: () => number = Date.now) {
    this.#perModel = perModel;
    this.#windowMs = windowMs;
    this.#now = now;
  }

  set(perModel: Record<string, number>): void {
    this.#perModel = perModel;
  }

  /**
   * Counts one request of the model.
   * @returns the rate-limit headers of the reply
   * @throws ApiError 429 with `retry-after` in whole seconds
   */
  take(model: string): Record<string, string> {
    const limit = this.#perModel[model];
    if (limit === undefined) return {};
    const now = this.#now();
    const starts = (this.#starts.get(model) ?? []).filter((startedAt) => startedAt > now - this.#windowMs);
    this.#starts.set(model, starts);
    const refused = starts.length >= limit;
    if (!refused) starts.push(now);
    const waitMs = Math.max(0, (starts[starts.length - limit] ?? now) + this.#windowMs - now);
    const headers = {
      'anthropic-ratelimit-requests-limit': String(limit),
      'anthropic-ratelimit-requests-remaining': String(Math.max(0, limit - starts.length)),
      'anthropic-ratelimit-requests-reset': new Date(now + (starts.length >= limit ? waitMs : 0)).toISOString(),
    };
    if (!refused) return headers;
    const message = `This request would exceed your organization's rate limit of ${limit} requests per minute (model: ${model}).`;
    throw new ApiError(429, 'rate_limit_error', message, {
      headers: { ...headers, 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) },
    });
  }
}
