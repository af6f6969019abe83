import { expect, test } from 'vitest';
import { createOldPoster } from '../../support/bridge/old-poster.ts';
import { createOldPrograms } from '../../support/bridge/old-programs.ts';
import { startOldWorker } from '../../support/bridge/old-worker.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const LONG = { timeoutMs: 120_000 };

async function open(slots: number) {
  const fleet = await useSimulatedFleet(redis, { slots, simulator: { latencyMs: 5 } });
  const bridge = (id: string) =>
    startWorkerProcess(redis, {
      id,
      provider: fleet.simulator.url,
      kind: 'bridge',
      env: { FLEET_BRIDGE: '1', FLEET_BRIDGE_V2: '1' },
    });
  const jobs = () => fleet.queue.getJobs(['wait', 'active', 'delayed', 'completed', 'failed']);
  return { fleet, bridge, jobs, old: createOldPrograms(redis.redis, redis.keys.publicPrefix) };
}

/** Every task that is added asks for the session: while its key holds another type, a bridge gets no further than its claim. */
async function breakSession(): Promise<() => Promise<unknown>> {
  const aside = `${redis.keys.session}:aside`;
  await redis.redis.rename(redis.keys.session, aside);
  await redis.redis.set(redis.keys.session, 'x');
  return () => redis.redis.rename(aside, redis.keys.session);
}

test.each(['is killed', 'goes on'])(
  'a task of a memory shard is done once where the bridge %s between claim and job',
  async (end) => {
    const { fleet, bridge, jobs, old } = await open(2);
    await fleet.inner.currentSession();
    const first = await bridge('bridge_a');
    const mend = await breakSession();
    const shard = await old.openShard();
    const id = await shard.spawn('analysis', 'Look [[turns:1]]');
    const noted = () => redis.redis.hlen(redis.keys.bridge('listed'));
    await waitUntil(async () => (await noted()) === 1, LONG);
    expect(await redis.redis.llen(redis.keys.oldQueue('analysis'))).toBe(0);
    expect(await jobs()).toEqual([]);
    if (end === 'is killed') await first.end('SIGKILL');
    await mend();
    if (end === 'is killed') await bridge('bridge_b');
    await waitUntil(async () => (await noted()) === 0, LONG);
    expect(await shard.findings()).toMatchObject([{ task_id: id }]);
    expect(await jobs()).toHaveLength(1);
  },
  180_000,
);

test('does here, once, what an old worker had begun when it was killed', async () => {
  const { fleet, bridge, jobs } = await open(2);
  await (await bridge('bridge_a')).end('SIGTERM'); // its first start lists what is older: nothing
  const poster = createOldPoster(redis.db);
  const claimed = redis.keys.oldTask('t1', 'claimed');
  const worker = await startOldWorker(redis, { id: 'old_1', workMs: 600_000 });
  await poster.post('t1', { description: 'Say 1 [[turns:1]]' });
  await waitUntil(async () => (await redis.redis.get(claimed)) === 'old_1', LONG);
  await bridge('bridge_b');
  const job = await waitUntil(async () => (await fleet.queue.getJobs(['delayed']))[0], LONG);
  await worker.end('SIGKILL');
  expect(await redis.redis.pexpire(claimed, 500)).toBe(1); // its 300 s are over
  const result = await waitUntil(() => poster.read('t1', 'result'), LONG);
  expect(await fleet.findings.get(result as string)).toMatchObject({ status: 'completed' });
  expect(worker.ran()).toEqual([]);
  expect(await jobs()).toHaveLength(1);
  const { logs } = await fleet.queue.getJobLogs(job?.id ?? '');
  expect(logs.filter((line) => line.includes('the claim of old_1 ended without a result: run here'))).toHaveLength(1);
}, 180_000);
