import { hostname } from 'node:os';
import type { TaskInput } from '../../../../queues/tasks.ts';
import { hideOwnEnvironment } from '../../../config/own-environment.ts';
import { toChildEnvironment } from '../../../outside/exec/child-environment.ts';
import { runExecWorker } from '../../../outside/exec/run-exec-worker.ts';
import { createNotifier } from '../../../swarm/notify.ts';
import { withoutControls } from '../../../text/without-controls.ts';
import { countOf } from '../../../text/plural.ts';
import { withFleet } from '../../input/with-fleet.ts';

export interface WorkerCommandOptions {
  exec: string;
  slots?: number;
  as?: string;
  kind?: NonNullable<TaskInput['kind']>;
  batch?: string;
  shard?: string;
  /** Seconds, as the next one. */
  lease?: number;
  deadline?: number;
  env?: string[];
  drain?: boolean;
}

/** Does `fleet worker`. SIGTERM and Ctrl-C end the programs and give their tasks back; a second one ends it at once. */
export async function runWorkerCommand(options: WorkerCommandOptions): Promise<void> {
  const { exec: command, slots = 1, as = toName(), kind, batch, shard, lease = 300, deadline = 3_600 } = options;
  hideOwnEnvironment();
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(1);
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  await withFleet(async ({ inner }) => {
    await inner.db.clock.sync();
    const notifier = createNotifier({ target: inner.config.FLEET_NOTIFY, db: inner.db });
    console.log(`${as} takes tasks for outside workers, ${slots} at once; Ctrl-C ends it`);
    const taken = await runExecWorker(
      { ...inner, notifier },
      {
        as,
        command,
        slots,
        leaseMs: lease * 1_000,
        deadlineMs: deadline * 1_000,
        env: toChildEnvironment(inner.config, options.env ?? [], process.env),
        drain: options.drain ?? false,
        say: (line) => console.log(withoutControls(line)),
        ...(kind === undefined ? {} : { kind }),
        ...(batch === undefined ? {} : { batch }),
        ...(shard === undefined ? {} : { shard }),
      },
      stop.signal,
    );
    await notifier.flush();
    console.log(`${as} has taken ${countOf(taken, 'task')}`);
  });
}

/** A host's name may have any characters. */
function toName(): string {
  return `outside_${hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, '-')
    .slice(0, 60)}_${process.pid}`;
}
