import { expect, test } from 'vitest';
import type { TaskInput } from '../../../queues/tasks.ts';
import { createArchiveAsker } from '../../../src/librarian/queries/archive-asker.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createMissionModel } from '../../support/models/mission-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const OWNER = { client: 'alice', shard: 'docs' };
const three = [{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] }];

test('a mission’s children and findings belong to its client and shard, and their cost is booked to both', async () => {
  const model = createMissionModel(three);
  const fleet = await useFleet(redis, { client: 'alice', config: { shards: [] }, coordinator: model, haiku: model });
  const mission = await fleet.missions.add({ goal: 'Find out.', shard: 'docs' }, { missionId: 'm' });
  expect(await mission.finding()).toMatchObject(OWNER);
  const findings = await fleet.findings.list();
  expect(findings).toHaveLength(4);
  for (const finding of findings) expect(finding).toMatchObject(OWNER);
  expect((await fleet.bullJob('m-2')).data).toMatchObject(OWNER);

  const { total } = await fleet.costs();
  for (const by of ['client', 'shard'] as const) {
    const { rows } = await fleet.costs({ by });
    expect(rows).toEqual([{ ...total, name: OWNER[by] }]);
  }
  const settled = await redis.redis.hget(redis.keys.spend('client:alice'), 'settled');
  expect(Number(settled)).toBe(total.costNano);
});

test('a batch’s shard is that of its tasks that name none, and the client is of all', async () => {
  const fleet = await useFleet(redis, { client: 'alice' });
  const tasks: TaskInput[] = [{ description: 'a' }, { description: 'b', shard: 'own' }];
  await fleet.tasks.addMany(tasks, { batch: 'night', shard: 'docs' });
  expect((await fleet.bullJob('night-1')).data).toMatchObject(OWNER);
  expect((await fleet.bullJob('night-2')).data).toMatchObject({ client: 'alice', shard: 'own' });
  await expect(fleet.tasks.addMany(tasks, { batch: 'day', shard: 'two words' })).rejects.toThrow(
    /shard: .*"two words"/,
  );
});

test('a client adds to its own batches only, and raises no budget of another one’s', async () => {
  const [fleet, alice, bob] = [
    await useFleet(redis),
    await useFleet(redis, { client: 'alice' }),
    await useFleet(redis, { client: 'bob' }),
  ];
  const tasks: TaskInput[] = [{ description: 'a' }];
  await alice.tasks.addMany(tasks, { batch: 'hers', budgetUsd: 1 });
  await fleet.tasks.addMany(tasks, { batch: 'ours', budgetUsd: 1 });
  for (const dryRun of [true, false]) {
    const more = { budgetUsd: 100, dryRun };
    await expect(bob.tasks.addMany(tasks, { batch: 'hers', ...more })).rejects.toThrow("batch hers: is client alice's");
    await expect(bob.tasks.addMany(tasks, { batch: 'ours', ...more })).rejects.toThrow('was not added by a client');
    expect(await bob.tasks.addMany(tasks, { batch: `his-${dryRun}`, dryRun })).toMatchObject({ added: 1 });
  }
  for (const batch of ['hers', 'ours']) expect(await fleet.batch(batch)).toMatchObject({ limitNanoUsd: 1e9, tasks: 1 });
  expect(await alice.tasks.addMany([...tasks, ...tasks], { batch: 'hers' })).toMatchObject({ added: 1, existing: 1 });
  expect(await fleet.tasks.addMany([...tasks, ...tasks, ...tasks], { batch: 'hers' })).toMatchObject({ added: 1 });
});

test('questions, also those of tasks, have their owner', async () => {
  const fleet = await useFleet(redis, { client: 'alice' });
  const { db, queues } = fleet.inner;
  const { queryId } = await fleet.ask('How much tea?', { shard: 'docs' });
  const asked = await queues.archive.getJob(`archive_${queryId}`);
  expect(asked?.data).toMatchObject(OWNER);

  const asker = createArchiveAsker({ db, queue: queues.archive, url: redis.url });
  const question = {
    question: 'Rum?',
    filter: {},
    jobId: 't',
    session: 's',
    batch: null,
    missionId: null,
    vendors: null,
  };
  const reply = await asker
    .ask({ ...question, ...OWNER, isDraining: () => false }, AbortSignal.timeout(300))
    .catch(() => null);
  await asker.close();
  expect(reply).toBeNull();
  const jobs = await queues.archive.getJobs(['waiting', 'prioritized']);
  expect(jobs.find(({ data }) => data.question === 'Rum?')?.data).toMatchObject(OWNER);
});

test('work without client and shard stores no byte for them', async () => {
  const model = createMissionModel(three);
  const fleet = await useFleet(redis, { config: { shards: [] }, coordinator: model, haiku: model });
  await (await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' })).finding();
  const stored = await redis.redis.get(redis.keys.finding((await fleet.findings.list())[0]?.finding_id ?? ''));
  for (const text of [stored, JSON.stringify((await fleet.bullJob('m-2')).data)])
    expect(text).not.toMatch(/client|"shard/);
  expect(await redis.redis.keys(`${redis.keys.bullPrefix}:*client*`)).toEqual([]);
  const [day = ''] = await redis.redis.smembers(redis.keys.ledgerDays);
  for (const field of await redis.redis.hkeys(redis.keys.ledger(day))) expect(field.split('|')).toHaveLength(6);
});
