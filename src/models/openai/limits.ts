import type { ModelLimits } from '../model.ts';

const MINUTE_MS = 60_000;

/** Names of the headers: OpenAI's and those who copy it, then Mistral's, which tell no reset. */
const NAMES = [
  { requests: 'requests', tokens: 'tokens' },
  { requests: 'req-minute', tokens: 'tokens-minute' },
] as const;

/**
 * The limits that an answer's headers state; undefined: it states none. The limit of tokens counts prompt and reply together;
 * it is taken as one of the prompt. https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 * @param now ms since 1970
 */
export function readChatLimits(headers: Headers, now: number): ModelLimits | undefined {
  const limits: ModelLimits = {};
  for (const { requests, tokens } of NAMES) {
    for (const [name, header] of [
      ['requests', requests],
      ['inputTokens', tokens],
    ] as const) {
      const limit = toCount(headers.get(`x-ratelimit-limit-${header}`));
      const remaining = toCount(headers.get(`x-ratelimit-remaining-${header}`));
      if (limit === null || remaining === null || limit === 0) continue;
      const reset = headers.get(`x-ratelimit-reset-${header}`);
      const resetMs = reset === null ? MINUTE_MS : toSpanMs(reset);
      if (resetMs !== null) limits[name] ??= { limit, remaining, resetAt: now + resetMs };
    }
  }
  return Object.keys(limits).length === 0 ? undefined : limits;
}

/** Ms of `20ms`, `1.2s`, `6m0s`, `1h0m3s` or `2d1h`; null: it is none of these. */
export function toSpanMs(text: string): number | null {
  const span = text.trim();
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[dhms]))+$/.test(span)) return null;
  const units: Record<string, number> = { ms: 1, s: 1_000, m: MINUTE_MS, h: 60 * MINUTE_MS, d: 24 * 60 * MINUTE_MS };
  let sum = 0;
  for (const [, number = '', unit = ''] of span.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g))
    sum += Number(number) * (units[unit] ?? 0);
  return Math.ceil(sum);
}

function toCount(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
