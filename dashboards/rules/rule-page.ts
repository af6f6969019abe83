import type { ParkedChain, RuleState } from '../../src/rules/types.ts';
import { describeLimits, describeMatch, toRuleCost } from '../../src/status/describe-rules.ts';
import { startOf } from '../../src/text/start-of.ts';
import { toVisible } from '../access/visible-text.ts';
import type { Fired } from './read-fired.ts';

const MOST_CHARACTERS = 600;
/** Parked chains that the page shows of a rule; `fleet when show NAME --json` has all. */
const MOST_CHAINS = 20;

/** A rule as the page shows it. @param chains the parked ones of all rules */
export function toRuleRow(rule: RuleState, chains: readonly ParkedChain[], fired: readonly Fired[]) {
  const { name, state, problem, task, skipped, catchingUp, client, createdAt, lastFiredAt } = rule;
  const own = chains.filter((chain) => chain.rule === name);
  return {
    name,
    state,
    problem: problem === null ? null : toVisible(problem),
    match: toVisible(describeMatch(rule.match)),
    limits: describeLimits(rule),
    task: toVisible(startOf(task.description, MOST_CHARACTERS)),
    workspace: task.workspace ?? null,
    fired: rule.fired,
    firedToday: rule.firedToday,
    skipped,
    catchingUp,
    client,
    createdAt,
    lastFiredAt,
    costNanoUsd: toRuleCost(rule),
    limitNanoUsd: rule.budgetNanoUsd,
    recent: fired,
    parked: own.length,
    chains: own.slice(0, MOST_CHAINS).map(({ taskId, chain, why, detail, parkedAt }) => ({
      taskId,
      chain,
      why,
      detail: toVisible(detail),
      parkedAt,
    })),
  };
}
