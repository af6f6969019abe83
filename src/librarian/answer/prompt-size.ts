import { toMessage } from '../../errors.ts';
import type { TokenEstimate } from '../archive/token-estimate.ts';
import { BELOW_LIMIT } from './call-failure.ts';
import type { Route } from './route.ts';
import type { ArchivePrompt, AskableModel } from './types.ts';
import { formatCount } from '../../text/plural.ts';

/** A first prompt above this many tokens, by the first guess, is counted before it is sent. */
const COUNTED_ABOVE = 100_000;
/** Where findings are left out, a prompt with less than this share of the limit is made anew from the provider's count. */
const TOO_SHORT = 0.85;

interface PromptSizeParts {
  route: Route;
  /** By shard number; the first that the query may use counts. */
  shards: ReadonlyMap<number, AskableModel>;
  estimate: TokenEstimate;
  query: { signal: AbortSignal; log(line: string): Promise<void> };
}

/**
 * How many tokens the prompts of one query have: estimated from their bytes, or counted by the provider where nothing has
 * corrected the estimate yet and after the limit became smaller. Counting is free.
 */
export class PromptSize {
  readonly #parts: PromptSizeParts;
  /** The limit for which a prompt was measured. */
  #sizedFor: number;
  #isFirst = true;
  #isRefitted = false;
  /** The last prompt that the provider has counted. */
  #counted: { text: string; tokens: number } | null = null;

  constructor(parts: PromptSizeParts) {
    this.#parts = parts;
    this.#sizedFor = parts.route.maxTokens;
  }

  /** @returns tokens; null: the count shows that the prompt must be made anew */
  async measure(prompt: ArchivePrompt): Promise<number | null> {
    const { route, estimate } = this.#parts;
    const { maxTokens } = route;
    const guess = estimate.toTokens(prompt.bytes);
    const isGuess = this.#isFirst && !estimate.isCounted && guess > COUNTED_ABOVE;
    if (!isGuess && maxTokens === this.#sizedFor) return guess;
    this.#isFirst = false;
    this.#sizedFor = maxTokens;
    const counted = await this.count(prompt);
    if (counted === null) return guess;
    estimate.replace(prompt.bytes, counted);
    if (counted > maxTokens) {
      await route.shrink(maxTokens * BELOW_LIMIT, `the provider counts ${formatCount(counted)} tokens`);
      return null;
    }
    if (prompt.shown.leftOut === null || counted > maxTokens * TOO_SHORT || this.#isRefitted) return counted;
    this.#isRefitted = true;
    return null;
  }

  /** The provider's count of a prompt, which is asked for once. Null where the provider does not count. */
  async count(prompt: ArchivePrompt, signal: AbortSignal = this.#parts.query.signal): Promise<number | null> {
    // Each step makes its prompt anew, most of them the same.
    if (this.#counted?.text === prompt.request.prompt) return this.#counted.tokens;
    const tokens = await this.#count(prompt, signal);
    if (tokens !== null) this.#counted = { text: prompt.request.prompt, tokens };
    return tokens;
  }

  async #count({ request }: ArchivePrompt, signal: AbortSignal): Promise<number | null> {
    const { route, shards, query } = this.#parts;
    const { excluded } = route;
    const asked = [...shards].find(([number]) => !excluded.includes(number))?.[1];
    if (asked === undefined) return null;
    try {
      return await asked.model.countTokens({ ...request, model: asked.payer.entry.id }, { signal });
    } catch (error) {
      query.signal.throwIfAborted();
      await query.log(`the prompt's tokens are estimated, not counted: ${toMessage(error)}`);
      return null;
    }
  }
}
