import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { createHaltSwitch } from '../../halt/halt.ts';
import { formatUsd } from '../../ledger/money.ts';
import { createNotifier } from '../../notify.ts';
import { thisPerson } from '../person.ts';
import { withFleet } from '../with-fleet.ts';
import { readSnapshot } from '../read-snapshot.ts';

export function registerHalt(program: Command): void {
  program
    .command('halt')
    .description('stop the whole fleet: running model calls end and are stored, everything else waits')
    .argument('<reason...>', 'why; shown wherever the halt is')
    .addHelpText('after', '\nExample:\n  fleet halt "prices look wrong"')
    .action(async (words: string[]) => {
      const detail = words.join(' ').trim();
      if (detail === '') throw new UsageError('halt: expected a reason');
      await withFleet(async ({ inner: { config, redis, keys, queues } }) => {
        const notifier = createNotifier({ target: config.FLEET_NOTIFY, redis, keys });
        const halt = createHaltSwitch(redis, keys, Object.values(queues), { notifier });
        const first = await halt.halt({ reason: 'person', step: '', by: thisPerson(), detail });
        await notifier.flush();
        const stated = await halt.read();
        console.log(
          first
            ? 'Halted. Nothing is lost: `fleet resume` goes on.'
            : `Already halted since ${stated?.at ?? 'a moment ago'}: ${stated?.reason ?? ''} ${stated?.detail ?? ''}`.trimEnd(),
        );
      });
    });
}

export function registerResume(program: Command): void {
  program
    .command('resume')
    .description('lift the halt; only what the halt paused goes on')
    .addHelpText('after', '\nExample:\n  fleet budget 20 && fleet resume')
    .action(async () => {
      await withFleet(async (fleet) => {
        const { redis, keys, queues } = fleet.inner;
        const halt = await createHaltSwitch(redis, keys, Object.values(queues)).resume();
        console.log(`Lifted: ${halt.reason}${halt.detail === '' ? '' : ` (${halt.detail})`}.`);
        const snapshot = await readSnapshot(fleet);
        const paused = snapshot.queues.filter((queue) => queue.paused).map((queue) => queue.name);
        if (paused.length > 0) console.log(`⚠️  Paused by a person and left so: ${paused.join(', ')}`);
        const { limitNanoUsd, settledNanoUsd, reservedNanoUsd, uncertainNanoUsd } = snapshot.budget;
        if (limitNanoUsd === null) return;
        const left = Math.max(0, limitNanoUsd - settledNanoUsd - reservedNanoUsd - uncertainNanoUsd);
        console.log(`Budget:  ${formatUsd(left, 4)} of ${formatUsd(limitNanoUsd, 4)} left today`);
      });
    });
}
