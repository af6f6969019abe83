import type { ModelLimits } from '../models/model.ts';
import { formatCount } from '../text/plural.ts';

/** The limits of a tier, a minute. */
interface Tier {
  name: string;
  requests: number;
  inputTokens: number;
  outputTokens: number;
}

/**
 * The tiers whose limits are published for Haiku 5.5 and Sonnet 5.5 alike, the smallest first. Those of Evaluation, Scale and
 * Custom are agreed with the provider. https://platform.claude.com/docs/en/api/rate-limits, read in November 2026
 */
const TIERS: readonly Tier[] = [
  { name: 'Start', requests: 1_000, inputTokens: 2_000_000, outputTokens: 400_000 },
  { name: 'Build', requests: 5_000, inputTokens: 5_000_000, outputTokens: 1_000_000 },
];
const IN_TIERS = /^claude-(haiku|sonnet)-5-5\b/;

/** The limits that an answer's headers state, and the tier that has them, for people. */
export function describeLimits(model: string, { requests, inputTokens, outputTokens }: ModelLimits): string {
  const stated = [
    ...(requests === undefined ? [] : [`${toShort(requests.limit)} calls`]),
    ...(inputTokens === undefined ? [] : [`${toShort(inputTokens.limit)} tokens in`]),
    ...(outputTokens === undefined ? [] : [`${toShort(outputTokens.limit)} tokens out`]),
  ];
  const tier =
    requests === undefined || inputTokens === undefined || outputTokens === undefined || !IN_TIERS.test(model)
      ? null
      : findTier([requests.limit, inputTokens.limit, outputTokens.limit]);
  return `${stated.join(', ')} a minute${tier === null ? '' : `: ${tier}`}`;
}

/** @param limits calls, tokens in, tokens out; null: they fit between the tiers */
function findTier(limits: readonly number[]): string | null {
  const of = ({ requests, inputTokens, outputTokens }: Tier): number[] => [requests, inputTokens, outputTokens];
  const same = TIERS.find((tier) => of(tier).every((limit, i) => limit === limits[i]));
  if (same !== undefined) return `the ${same.name} tier`;
  const [first] = TIERS;
  const last = TIERS.at(-1);
  if (first !== undefined && of(first).every((limit, i) => (limits[i] ?? 0) <= limit)) {
    return `below the ${first.name} tier, as an Evaluation account or a workspace with limits of its own has`;
  }
  if (last !== undefined && of(last).every((limit, i) => (limits[i] ?? 0) >= limit))
    return `above the ${last.name} tier`;
  return null;
}

/** `2.0M`, `400k`, `1,000`. */
function toShort(count: number): string {
  if (count >= 1_000_000) return `${(count / 1_000_000).toFixed(1)}M`;
  if (count >= 10_000) return `${Math.round(count / 1_000)}k`;
  return formatCount(count);
}
