import type { Command } from 'commander';
import { countOf } from '../../count-of.ts';
import type { OpenFleet } from '../../open-fleet.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { parseHalt } from '../../halt/halt.ts';
import { assertBatch } from '../../jobs/failed-jobs.ts';
import { releaseParked } from '../../jobs/release-parked.ts';
import { readBudget, seedBudget, setBudget, type BudgetScope, type BudgetState } from '../../ledger/budget.ts';
import { formatUsd } from '../../ledger/money.ts';
import { jsonOption, toUsd } from '../options.ts';
import { printJson } from '../print.ts';
import { withFleet } from '../with-fleet.ts';

interface BudgetOptions {
  batch?: string;
  mission?: string;
  task?: string;
  json?: boolean;
}

export function registerBudget(program: Command): void {
  program
    .command('budget')
    .description("show or set a budget: the day's, or the own one of a batch, mission or task; spend never passes it")
    .argument('[usd]', 'dollars; without: show', toUsd)
    .option('--batch <name>', 'of this batch; reaching it parks its jobs')
    .option('--mission <name>', 'of this mission')
    .option('--task <id>', 'of this task')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  fleet budget 20\n  fleet budget 3.50 --batch nightly')
    .action(async (usd: number | undefined, options: BudgetOptions) => {
      const scope = toScope(options);
      await withFleet(async (fleet) => {
        if (scope !== null) await assertScope(fleet, scope);
        const { config, redis, keys } = fleet.inner;
        if (scope === null) await seedBudget(redis, keys, config.FLEET_BUDGET_USD);
        if (usd !== undefined) await setBudget(redis, keys, usd, scope);
        const released = usd === undefined || scope === null ? 0 : await release(fleet, scope);
        const state = await readBudget(redis, keys, scope, new Date());
        const halt = await redis.get(keys.haltReason);
        const halted = halt !== null && parseHalt(halt).reason === 'budget';
        if (options.json) return printJson({ ...state, released, haltedForBudget: halted });
        console.log(`${toTitle(scope)}: ${describe(state)}`);
        if (released > 0) console.log(`Released: ${countOf(released, 'parked job')} wait for a worker again`);
        if (halted && scope === null) console.log('The fleet is halted for its budget: fleet resume goes on');
      });
    });
}

function toScope({ batch, mission, task }: BudgetOptions): BudgetScope {
  const given = [batch, mission, task].filter((name) => name !== undefined);
  if (given.length > 1) throw new UsageError('budget: expected one of --batch, --mission and --task');
  if (batch !== undefined) return { batch };
  if (mission !== undefined) return { mission };
  return task === undefined ? null : { task };
}

/** A budget of something that does not exist, or that nobody asks, would be a limit that holds nothing. */
async function assertScope(
  { inner: { redis, keys, queues } }: OpenFleet,
  scope: NonNullable<BudgetScope>,
): Promise<void> {
  if ('batch' in scope) await assertBatch(redis, keys, scope.batch);
  if (!('task' in scope)) return;
  const job = await queues.tasks.getJob(scope.task);
  if (job === undefined) throw new NotFoundError(`job ${scope.task}: no such job in queue tasks`);
  if ((job.data as { budget_usd?: number }).budget_usd === undefined) {
    throw new UsageError(`job ${scope.task}: was enqueued without a budget of its own, so that none is asked`);
  }
}

async function release({ inner }: OpenFleet, scope: NonNullable<BudgetScope>): Promise<number> {
  const { redis, keys, scripts, queues } = inner;
  const parts = { redis, keys, scripts, queue: queues.tasks };
  if ('batch' in scope) return releaseParked(parts, { scope: 'batch', name: scope.batch });
  if ('mission' in scope) return releaseParked(parts, { scope: 'mission', name: scope.mission });
  return releaseParked(parts, { scope: 'task', name: scope.task });
}

function toTitle(scope: BudgetScope): string {
  if (scope === null) return 'Budget a day (UTC)';
  return `Budget of ${Object.entries(scope).flat().join(' ')}`;
}

function describe({ limit, settled, reserved, uncertain }: BudgetState): string {
  const used = settled + reserved + uncertain;
  const parts = [
    `${formatUsd(settled, 4)} spent`,
    ...(reserved > 0 ? [`${formatUsd(reserved, 4)} reserved`] : []),
    ...(uncertain > 0 ? [`${formatUsd(uncertain, 4)} uncertain`] : []),
  ];
  if (limit === null) return `none set, ${parts.join(', ')}`;
  return `${formatUsd(limit, 4)}, ${parts.join(', ')}, ${formatUsd(Math.max(0, limit - used), 4)} left`;
}
