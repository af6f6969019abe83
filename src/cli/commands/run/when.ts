import type { TaskInput } from '../../../../queues/tasks.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { UsageError } from '../../../errors.ts';
import type { RuleInput, RuleMatch, RuleState } from '../../../rules/types.ts';
import { describeLimits, describeMatch } from '../../../status/describe-rules.ts';
import { readTaskText } from '../../input/task-text.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';
import { warnWithoutRunner } from '../../output/warnings.ts';
import type { WhenOptions } from './when-options.ts';
import { printTrials } from './when-past.ts';

const MATCH = ['topic', 'kind', 'session', 'mission', 'grep', 'from', 'swarm'] as const;
const OF_A_RULE = [...MATCH, 'task', 'workspace', 'budget', 'max', 'maxDepth', 'oncePer'] as const;

/** Does `fleet when NAME`: adds a rule, or tries one. */
export async function runWhenCommand(name: string, options: WhenOptions): Promise<void> {
  const { dryRun = false, limit, since, replace } = options;
  if (limit !== undefined && !dryRun) throw new UsageError('when: --limit belongs to --dry-run');
  const isStored = dryRun && OF_A_RULE.every((option) => options[option] === undefined);
  const input = isStored ? null : toInput(name, options);
  await withFleet(async (fleet) => {
    if (dryRun) {
      const past = { ...(limit === undefined ? {} : { limit }), ...(since === undefined ? {} : { since }) };
      const report = await fleet.rules.dryRun(input ?? name, past);
      return options.json ? printJson(report) : printTrials(report, { isDryRun: true, name });
    }
    if (input === null) return;
    const rule = await fleet.when(name, input, replace === true ? { replace } : {});
    if (options.json) return printJson(rule);
    printAdded(rule);
    await warn(fleet, rule);
  });
}

/** @throws UsageError where a filter or the task is missing */
function toInput(name: string, options: WhenOptions): RuleInput {
  const { task, workspace, budget, max, maxDepth, oncePer, since, dryRun } = options;
  const match = Object.fromEntries(
    MATCH.filter((field) => options[field] !== undefined).map((field) => [field, options[field]]),
  ) as RuleMatch;
  const others = `fleet when ls lists the rules, fleet when show ${name} shows the one of this name`;
  const filters = MATCH.filter((field) => field !== 'swarm').map((field) => `--${field}`);
  if (!filters.some((filter) => Object.hasOwn(match, filter.slice(2)))) {
    throw new UsageError(`when ${name}: expected at least one of ${filters.join(', ')}, got none; ${others}`);
  }
  if (task === undefined && dryRun !== true) {
    throw new UsageError(`when ${name}: expected --task, what is to be done; ${others}`);
  }
  return {
    match,
    // Which findings a rule is about can be tried before there is a task.
    task: toTask(task ?? '{finding.summary}', workspace),
    ...(budget === undefined ? {} : { budgetUsd: budget }),
    ...(max === undefined ? {} : { maxPerDay: max }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(oncePer === undefined ? {} : { oncePer }),
    ...(since === undefined ? {} : { since }),
  };
}

function toTask(given: string, workspace: string | undefined): RuleInput['task'] {
  const task = readTaskText('--task', given);
  if (workspace === undefined) return task;
  return { ...(typeof task === 'string' ? { description: task } : (task satisfies TaskInput)), workspace };
}

function printAdded(rule: RuleState): void {
  const { name, match, catchingUp } = rule;
  console.log(`Rule ${name}: ${describeMatch(match)}`);
  console.log(`  ${describeLimits(rule)}`);
  const begin = catchingUp === null ? 'from now on' : `begins with the findings since ${catchingUp.since}`;
  console.log(`  ${begin}; what it does: fleet when show ${name}`);
  if (rule.state === 'paused') console.log(`  it is paused: fleet when resume ${name} lets it go on`);
}

async function warn(fleet: OpenFleet, { task, problem }: RuleState): Promise<void> {
  if (problem !== null) console.error(`⚠️  ${problem}`);
  await warnWithoutRunner(fleet, task.for);
}
