import type { Db } from '../../redis/db.ts';
import { countChains } from '../../rules/chains.ts';
import { readRuleStates } from '../../rules/store.ts';
import { describeMatch, toRuleCost } from '../describe-rules.ts';
import type { RuleLine, RulesStatus } from '../types.ts';

/** A status names at most so many rules, by name, and counts them all. */
const NAMED = 50;
/** Parked chains that are read to tell whose they are. */
const MOST_CHAINS = 1_000;

/** @param names of all rules. @param parked count of all parked chains */
export async function readRuleLines(db: Db, names: readonly string[], parked: number): Promise<RulesStatus> {
  const isFew = parked > 0 && parked <= MOST_CHAINS;
  const states = await readRuleStates(
    db,
    names.toSorted().slice(0, NAMED),
    isFew ? await countChains(db) : new Map<string, number>(),
  );
  const lines = states.map((rule): RuleLine => {
    const { name, state, problem, fired, firedToday, budgetNanoUsd, lastFiredAt } = rule;
    return {
      name,
      match: describeMatch(rule.match),
      state: state === 'active' && rule.catchingUp !== null ? 'catching-up' : state,
      problem,
      fired,
      firedToday,
      parked: rule.parked,
      costNanoUsd: toRuleCost(rule),
      limitNanoUsd: budgetNanoUsd,
      lastFiredAt,
    };
  });
  return { total: names.length, parked, lines };
}
