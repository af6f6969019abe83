import { expect, test } from 'vitest';
import { createLogger } from '../../../src/process/logger.ts';
import { toTaskId } from '../../../src/rules/fire.ts';
import { watchRules } from '../../../src/rules/watch-rules.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { addSwarm } from '../../support/redis/second-swarm.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('a rule watches another swarm, sees its chains, waits while it is not shared, and then misses nothing', async () => {
  const ops = await addSwarm(redis);
  await ops.share(redis.swarm);
  const fleet = await useFleet(redis, { env: { FLEET_READ_SWARMS: ops.swarm } });
  const { rules, when } = fleet;
  const subscriber = await redis.connect();
  const stop = watchRules({ ...fleet.inner, subscriber, log: createLogger('test', 'silent') });
  redis.cleanup(stop);
  await when('watch', { match: { topic: 'tea', swarm: ops.swarm }, task: 'Check {finding.id}' });
  await storeFindings(redis, { own: { topics: ['tea'] } });
  await storeFindings(ops, {
    f1: { topics: ['tea'], shard: 'of-ops' },
    f2: { topics: ['tea'], origin: { chain: [{ rule: 'theirs', finding: 'f0' }] } },
  });
  await waitUntil(async () => (await rules.parked()).length === 1, { what: 'the chain of the other swarm' });
  expect((await rules.parked())[0]?.chain).toEqual([
    { rule: `${ops.swarm}/theirs`, finding: `${ops.swarm}/f0` },
    { rule: 'watch', finding: `${ops.swarm}/f2` },
  ]);
  // One script notes the task and parks the chain; the task is added after it.
  await waitUntil(async () => (await fleet.queue.getWaitingCount()) === 1, { what: 'the task of the first finding' });
  const jobs = await fleet.queue.getWaiting();
  expect(jobs.map(({ id }) => id)).toEqual([toTaskId('watch', `${ops.swarm}/f1`)]);
  expect(jobs[0]?.data).toMatchObject({ description: `Check ${ops.swarm}/f1` });
  expect(jobs[0]?.data).not.toHaveProperty('shard');

  await ops.share('another');
  await waitUntil(async () => ((await rules.show('watch')).problem ?? '').includes('not'), {
    what: 'the rule that says why it waits',
    timeoutMs: 30_000,
  });
  await storeFindings(ops, { f3: { topics: ['tea'] } });
  await ops.share(redis.swarm);
  await waitUntil(async () => (await rules.show('watch')).fired === 2, {
    what: 'the finding that came meanwhile',
    timeoutMs: 30_000,
  });
  await waitUntil(async () => (await rules.show('watch')).problem === null, { what: 'no problem any more' });
});
