import { openFleet, type OpenFleet } from '../../api/open-fleet.ts';
import { FleetError, toMessage } from '../../errors.ts';
import { returnLostIfWritable } from '../../jobs/leased/give-back.ts';
import { DEFAULT_BUDGET_NANO_USD } from '../../ledger/budget.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import { readStatus } from '../../status/read/snapshot.ts';
import type { StatusSnapshot } from '../../status/types.ts';
import { readConfig } from './read-config.ts';
import { catalogOf } from '../../pricing/catalog.ts';

/**
 * Connects to the fleet of this environment, and closes the connection after `use`, also when it throws.
 * @param options as of `openFleet`
 */
export async function withFleet<T>(
  use: (fleet: OpenFleet) => Promise<T>,
  options: { writesWhenFull?: boolean } = {},
): Promise<T> {
  const fleet = await openFleet(readConfig(), { ...options, actor: { from: 'cli', onLost: tellLost } });
  try {
    return await use(fleet);
  } finally {
    await fleet.close();
  }
}

/** A change that is made does not fail because the audit lacks it. */
function tellLost(problem: string, error: unknown): void {
  console.error(`⚠️  ${problem}: ${toMessage(error)}`);
}

/** Reads the fleet's state. Where no budget of the day is set yet, it has the one that the first process will set. */
export async function readSnapshot({ inner }: OpenFleet): Promise<StatusSnapshot> {
  const { db, config, queues } = inner;
  await returnLostIfWritable(db, () => queues.tasks);
  const seed = config.FLEET_BUDGET_USD;
  return readStatus(db, {
    shards: config.shards,
    coordinatorModel: config.FLEET_COORDINATOR_MODEL,
    workerModel: config.FLEET_HAIKU_MODEL,
    catalog: catalogOf(config),
    defaultDayLimitNanoUsd: seed === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(seed),
  });
}

/** The exit code of a process that Ctrl-C ended: 128 + SIGINT. */
const INTERRUPTED = 130;

/**
 * Runs work that removes its temporary files in exit handlers: Ctrl-C calls `process.exit`, which runs them.
 * @param message printed on the error output after Ctrl-C
 */
export async function withInterrupt<T>(message: string, work: () => Promise<T>): Promise<T> {
  const onSignal = (): void => {
    console.error(`\n${message}`);
    process.exit(INTERRUPTED);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await work();
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/**
 * Runs work that Ctrl-C ends at its next safe point, where nothing is half done. A second Ctrl-C ends the process at once.
 * @param message printed on the error output after Ctrl-C
 */
export async function withInterruptSignal<T>(message: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort(new FleetError('interrupted'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (error !== controller.signal.reason) throw error;
    console.error(`\n${message}`);
    process.exit(INTERRUPTED);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}
