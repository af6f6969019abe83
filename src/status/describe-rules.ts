import type { ChainLink } from '../../queues/origin.ts';
import { formatUsd } from '../pricing/money.ts';
import type { RuleMatch, RuleState } from '../rules/types.ts';
import { toOneLine } from '../text/one-line.ts';
import { formatCount } from '../text/plural.ts';

const MATCH_WORDS: Readonly<Record<keyof RuleMatch, string>> = {
  topic: 'topic',
  kind: 'kind',
  session: 'session',
  mission: 'mission',
  grep: 'text',
  from: 'worker',
  swarm: 'in swarm',
};

/** Which findings a rule is about, in one line: `topic broken, kind fix`. */
export function describeMatch(match: RuleMatch): string {
  return (Object.keys(MATCH_WORDS) as (keyof RuleMatch)[])
    .flatMap((name) => {
      const { [name]: value } = match;
      if (value === undefined) return [];
      return [toOneLine(`${MATCH_WORDS[name]} ${name === 'grep' ? JSON.stringify(value) : value}`)];
    })
    .join(', ');
}

/** The limits of a rule, in one line: `a task for each finding, at most 100 a day, budget $2.0000`. */
export function describeLimits(rule: Pick<RuleState, 'oncePer' | 'maxPerDay' | 'maxDepth' | 'budgetNanoUsd'>): string {
  const { oncePer, maxPerDay, maxDepth, budgetNanoUsd } = rule;
  return [
    oncePer === 'finding' ? 'a task for each finding' : `a task for the first finding of each ${oncePer}`,
    ...(maxPerDay === null ? [] : [`at most ${formatCount(maxPerDay)} a day`]),
    ...(maxDepth === 1 ? [] : [`chains of up to ${maxDepth} rules`]),
    budgetNanoUsd === null ? 'no budget of its own' : `budget ${formatUsd(budgetNanoUsd, 4)}`,
  ].join(', ');
}

/** A chain of rules, the oldest first: `finding_1 → mend → finding_2 → deepen`. */
export function describeChain(chain: readonly ChainLink[]): string {
  return toOneLine(chain.map(({ rule, finding }) => `${finding} → ${rule}`).join(' → '), Infinity);
}

/** What its tasks have cost, and may have cost, nano-dollars. */
export function toRuleCost({ settledNanoUsd, uncertainNanoUsd }: RuleState): number {
  return settledNanoUsd + uncertainNanoUsd;
}
