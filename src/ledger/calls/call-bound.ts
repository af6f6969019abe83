import type { CatalogEntry } from '../../pricing/catalog.ts';
import { worstCaseNanoUsd, type CallBound } from '../../pricing/cost.ts';

/** The size of a call, before it is reserved. */
export interface CallSize extends CallBound {
  /**
   * Upper bound of the prompt's tokens that holds for any text: its UTF-8 bytes, as far as no provider has counted it. Default
   * `inputTokensBound`.
   */
  inputBytesBound?: number;
  /** Asks the provider how many tokens the prompt has, for free; null: it does not count. Absent: it cannot. */
  countInput?: (signal: AbortSignal) => Promise<number | null>;
}

/** A call that could cost more than this is counted first, nano-dollars: 20 cents. */
const COUNT_ABOVE_NANO_USD = 200_000_000;
/** The provider calls its count an estimate: the bound is a little higher. */
const COUNT_MARGIN = 1.05;
/** A provider that does not count within this time is not waited for. */
const COUNT_TIMEOUT_MS = 15_000;

/**
 * Whether the bound of a call may have to be counted. Text of unusual classes may have more tokens than `inputTokensBound` says. That
 * matters where its bytes could pass a price step or cost more than 20 cents.
 */
export function mayBeTooLow(entry: CatalogEntry, size: CallSize): boolean {
  const { inputBytesBound = size.inputTokensBound } = size;
  if (entry.priceStepTokens !== null && inputBytesBound > entry.priceStepTokens) return true;
  const prompt: CallBound = { ...size, inputTokensBound: inputBytesBound, maxTokens: 0 };
  return worstCaseNanoUsd(entry, prompt) > COUNT_ABOVE_NANO_USD;
}

/** Returns the bound that a call is reserved by. */
export async function toReservedBound(entry: CatalogEntry, size: CallSize, signal: AbortSignal): Promise<CallBound> {
  return mayBeTooLow(entry, size) ? countBound(size, signal) : size;
}

/** Returns the bound of a call whose own may be too low: as the provider counts; if it does not, the bytes. */
export async function countBound(size: CallSize, signal: AbortSignal): Promise<CallBound> {
  const { inputBytesBound = size.inputTokensBound, countInput } = size;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(COUNT_TIMEOUT_MS)]);
  const counted = (await countInput?.(inTime).catch(() => null)) ?? null;
  if (counted === null) return { ...size, inputTokensBound: inputBytesBound };
  return { ...size, inputTokensBound: Math.min(inputBytesBound, Math.ceil(counted * COUNT_MARGIN)) };
}
