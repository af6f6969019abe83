import { expect, test } from 'vitest';
import { toTaskId } from '../../../queues/ids.ts';
import { delegateReady, type DelegatedMission } from '../../../src/coordinator/delegate/delegate.ts';
import { TaskFailedError } from '../../../src/errors.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import type { PatchRecord } from '../../../src/patches/types.ts';
import { retryJob } from '../../../src/tasks/repair/retry.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const redis = useRedis();
const findingOf = (n: number): string => toFindingId(toTaskId('m', n));

/** Nodes of a plan by number: those that each depends on. */
const plan = (...dependsOn: number[][]): DelegatedMission['nodes'] =>
  dependsOn.map((needed, i) => ({
    n: i + 1,
    task: `t${i + 1}`,
    description: `Do ${i + 1}`,
    kind: 'other',
    model: 'haiku',
    reason: null,
    files: [],
    dependsOn: needed,
  }));

/** The tasks with a patch are done; so are those with null, which changed nothing. */
async function delegate(states: Record<number, PatchRecord['state'] | null>, changes: Partial<DelegatedMission>) {
  const fleet = await useFleet(redis, { site: {} });
  const { db, queues, config } = fleet.inner;
  await queues.missions.add('mission', { goal: 'Go' }, { jobId: 'm' });
  const done = Object.keys(states).map(Number);
  await storeFindings(redis, Object.fromEntries(done.map((n) => [findingOf(n), { result: 'done' }])));
  for (const [n, state] of Object.entries(states)) {
    if (state !== null) await redis.redis.set(redis.keys.patch(findingOf(Number(n))), JSON.stringify({ state }));
  }
  const mission = {
    id: 'm',
    session: 's',
    workspace: 'site',
    topics: [],
    isolate: true,
    nodes: [],
    vendors: null,
    ...changes,
  };
  await delegateReady({ db, queues, config }, mission);
  return { fleet, again: () => delegateReady({ db, queues, config }, mission) };
}

const dataOf = async ({ inner }: TestFleet, n: number): Promise<Record<string, unknown>> =>
  (await inner.queues.tasks.getJob(toTaskId('m', n)))?.data as Record<string, unknown>;

test('a task begins with the patches of all tasks below it, in the order of the plan', async () => {
  const states = { 1: 'applied', 2: 'pending', 3: null, 4: 'conflict', 5: 'discarded', 6: 'empty' } as const;
  const nodes = plan([], [1], [1], [2, 3], [], [], [6, 5, 4], [5], []);
  const { fleet, again } = await delegate(states, { nodes });
  expect(await dataOf(fleet, 7)).toMatchObject({ builds_on: [findingOf(1), findingOf(2), findingOf(4)] });
  expect(await dataOf(fleet, 8)).not.toHaveProperty('builds_on');
  expect(await dataOf(fleet, 9)).not.toHaveProperty('builds_on');
  const job = await fleet.inner.queues.tasks.getJob(toTaskId('m', 7));
  await job?.remove();
  await redis.redis.del(redis.keys.missionAdded('m')); // as if a process had died before it marked the task
  await again();
  expect(await dataOf(fleet, 7)).toMatchObject({ builds_on: [findingOf(1), findingOf(2), findingOf(4)] });
});

test('a mission that is not isolated, and one without a workspace, begins in the tree that there is', async () => {
  const { fleet } = await delegate({ 1: 'pending' }, { nodes: plan([], [1]), isolate: false });
  expect(await dataOf(fleet, 2)).toMatchObject({ isolate: false, workspace: 'site' });
  expect(await dataOf(fleet, 2)).not.toHaveProperty('builds_on');
});

test('an edited task keeps what it begins with', async () => {
  const { fleet } = await delegate({ 1: 'pending' }, { nodes: plan([], [1]) });
  const { db, queues } = fleet.inner;
  const id = toTaskId('m', 2);
  await fleet.startHaiku(
    createScriptedModel(() => {
      throw new TaskFailedError('refusal', 'no');
    }),
  );
  await fleet.until(id, 'failed');
  const known = { workspaces: new Set(['site']), contexts: new Set<string>(), catalog: createCatalog([]) };
  await retryJob({ db, queue: queues.tasks }, id, { by: 'ada', known, edit: { append: 'Now.' } });
  expect(await dataOf(fleet, 2)).toMatchObject({ builds_on: [findingOf(1)] });
});
