import { openFleet } from '../src/api/open-fleet.ts';
import { percentile, type Measure } from './measure.ts';
import { startScratchRedis } from './scratch-redis.ts';

const TASKS = 400;
const WARM_UP = 20;
/** Tasks that wait behind: a claim must not become slower with them. */
const WAITING = 10_000;

/** Measures what a claim and a report take beside the work, one outside worker on an idle fleet, with few tasks and with many. */
export async function measureOutside(): Promise<Measure[]> {
  const redis = await startScratchRedis();
  const fleet = await openFleet(redis.config({ FLEET_SWARM: 'outside' }));
  try {
    const few = await roundTrips(fleet);
    await fleet.tasks.addMany(
      Array.from({ length: WAITING }, () => ({ description: 'later', for: 'outside' as const })),
    );
    const many = await roundTrips(fleet);
    const bar = { atMost: 50 };
    return [
      { name: 'claim to report beside the work, p50', value: percentile(few, 0.5), unit: 'ms', bar },
      { name: 'claim to report beside the work, p99', value: percentile(few, 0.99), unit: 'ms', bar },
      { name: `the same with ${WAITING} tasks offered, p99`, value: percentile(many, 0.99), unit: 'ms', bar },
    ];
  } finally {
    await fleet.close();
    await redis.stop();
  }
}

async function roundTrips(fleet: Awaited<ReturnType<typeof openFleet>>): Promise<number[]> {
  const tasks = Array.from({ length: TASKS + WARM_UP }, (_, i) => ({
    description: `task ${i}`,
    for: 'outside' as const,
  }));
  await fleet.tasks.addMany(tasks);
  const times: number[] = [];
  for (let i = 0; i < tasks.length; i += 1) {
    const began = performance.now();
    const claim = await fleet.outside.claim({ as: 'bench' });
    if (claim === null) throw new Error('no task was offered');
    await fleet.outside.report({ taskId: claim.task_id, lease: claim.lease, result: 'done' });
    times.push(performance.now() - began);
  }
  return times.slice(WARM_UP);
}
