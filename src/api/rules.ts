import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import type { AddRuleOptions, ChainSelection, PastOptions, RuleInput, RuleMatch, Rules } from '../rules/types.ts';
import { assertGiven, assertIds, assertOptions, assertText, namesOf } from './given/options.ts';
import type { AddCheck } from './task-handle.ts';
import type { Fleet } from './types.ts';

const MATCH = namesOf<RuleMatch>({
  topic: true,
  kind: true,
  session: true,
  mission: true,
  grep: true,
  from: true,
  swarm: true,
});
const RULE = namesOf<RuleInput>({
  match: true,
  task: true,
  budgetUsd: true,
  maxPerDay: true,
  maxDepth: true,
  oncePer: true,
  since: true,
});
const ADD = namesOf<AddRuleOptions>({ replace: true });
const PAST = namesOf<PastOptions>({ since: true, limit: true, signal: true });

export interface RulesApiParts extends AddCheck {
  /** Opens the rules: a script that needs none loads none of their code. */
  openRules: () => Promise<Rules>;
  /** For messages. */
  redisUrl: string;
}

/** Creates the `when` and `rules` of a connected fleet. */
export function createFleetRules({ openRules, redisUrl, assertMayAdd }: RulesApiParts): Pick<Fleet, 'when' | 'rules'> {
  const work = <T>(does: (rules: Rules) => Promise<T>): Promise<T> =>
    withRedisErrors(redisUrl, async () => does(await openRules()));
  const named =
    <T>(verb: string, does: (rules: Rules, name: string) => Promise<T>) =>
    async (name: string): Promise<T> => {
      assertText(`rules.${verb}: name`, name);
      return work((rules) => does(rules, name));
    };

  return {
    async when(name, rule, options) {
      assertText('when: name', name);
      assertGiven('when', rule);
      assertRule('when', rule);
      assertOptions('when', options, ADD);
      await withRedisErrors(redisUrl, assertMayAdd);
      return work((rules) => rules.add(name, rule, options));
    },
    rules: {
      list: () => work((rules) => rules.list()),
      show: named('show', (rules, name) => rules.show(name)),
      pause: named('pause', (rules, name) => rules.pause(name)),
      resume: named('resume', (rules, name) => rules.resume(name)),
      remove: named('remove', (rules, name) => rules.remove(name)),
      async dryRun(rule, options) {
        if (typeof rule === 'object') assertRule('rules.dryRun', rule);
        else assertText('rules.dryRun: rule', rule);
        assertOptions('rules.dryRun', options, PAST);
        return work((rules) => rules.dryRun(rule, options));
      },
      async replay(name, options) {
        assertText('rules.replay: name', name);
        assertOptions('rules.replay', options, PAST);
        await withRedisErrors(redisUrl, assertMayAdd);
        return work((rules) => rules.replay(name, options));
      },
      async parked(name) {
        if (name !== undefined) assertText('rules.parked: name', name);
        return work((rules) => rules.parked(name));
      },
      async release(selection) {
        assertSelection('rules.release', selection);
        await withRedisErrors(redisUrl, assertMayAdd);
        return work((rules) => rules.release(selection));
      },
      async drop(selection) {
        assertSelection('rules.drop', selection);
        return work((rules) => rules.drop(selection));
      },
    },
  };
}

/** @throws UsageError for an option that a rule does not have. What its values must be, the rules check */
function assertRule(what: string, rule: unknown): void {
  assertOptions(what, rule, RULE);
  const { match } = rule as RuleInput;
  assertGiven(`${what}: match`, match);
  assertOptions(`${what}: match`, match, MATCH);
}

/** @throws UsageError for what names no chains */
function assertSelection(what: string, selection: ChainSelection): void {
  assertGiven(what, selection);
  assertOptions(what, selection, ['rule', 'taskIds']);
  if ('rule' in selection) return assertText(`${what}: rule`, selection.rule);
  assertGiven(`${what}: taskIds`, selection.taskIds);
  assertIds(what, selection.taskIds);
}
