import type { Usage } from '../../queues/usage.ts';

/** Nothing used. */
export const NO_USAGE: Readonly<Usage> = { input: 0, cache_write: 0, cache_read: 0, output: 0 };

/** Tokens of the whole prompt, cached or not. Price steps and context limits depend on them. */
export function toPromptTokens(usage: Usage): number {
  return usage.input + usage.cache_write + usage.cache_read;
}

/** All tokens, prompt and output. */
export function toTotalTokens(usage: Usage): number {
  return toPromptTokens(usage) + usage.output;
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    cache_write: a.cache_write + b.cache_write,
    cache_read: a.cache_read + b.cache_read,
    output: a.output + b.output,
  };
}

/** `a` minus `b`, never below 0: the two may have been counted on different days. */
export function withoutUsage(a: Usage, b: Usage): Usage {
  return {
    input: Math.max(0, a.input - b.input),
    cache_write: Math.max(0, a.cache_write - b.cache_write),
    cache_read: Math.max(0, a.cache_read - b.cache_read),
    output: Math.max(0, a.output - b.output),
  };
}
