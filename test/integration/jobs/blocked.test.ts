import { expect, test } from 'vitest';
import type { QueueName } from '../../../queues/registry.ts';
import { readBlocker, type Blocker } from '../../../src/jobs/state/blocked.ts';
import { readJob } from '../../../src/jobs/state/states.ts';
import { waitForJob } from '../../../src/jobs/state/wait-for-job.ts';
import { createFindingStore } from '../../../src/findings/store.ts';
import { openBareQueue } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const HALT = JSON.stringify({ reason: 'person', detail: 'prices look wrong' });

/** Adds a job, with its stored state. @returns its blocker */
async function blockerOf(
  queue: QueueName,
  given: { delay?: number; mark?: object; mission?: object; halt?: boolean; log?: string; alone?: boolean },
): Promise<Blocker | null> {
  const { keys } = redis;
  const bare = await openBareQueue(redis, queue);
  const job = await bare.add(queue, {}, { jobId: 'j', ...(given.delay === undefined ? {} : { delay: given.delay }) });
  if (given.mark !== undefined) await redis.redis.hset(keys.parked, 'j', JSON.stringify({ ...given.mark, queue }));
  if (given.mission !== undefined) await redis.redis.hset(keys.mission('j'), given.mission);
  if (given.halt === true) await redis.redis.set(keys.haltReason, HALT);
  if (given.alone !== true) {
    const heartbeat = JSON.stringify({ id: 'haiku_box_001', seenAt: Date.now() });
    await redis.redis.hset(keys.workers, 'haiku_box_001', heartbeat);
  }
  await job.log('an earlier line');
  if (given.log !== undefined) await job.log(given.log);
  const { state } = await readJob(redis.db, queue, 'j');
  return readBlocker(redis.db, { queue, id: 'j', state });
}

const DAY = { delay: 24 * 3600_000 };
const BUDGET = { scope: 'batch', name: 'nightly' };
const BY_PERSON = { scope: 'parked-mission', name: 'mission-a' };

test.each([
  ['nothing, while it waits for its turn', 'tasks', {}, null],
  ['a worker, where none is up', 'tasks', { alone: true }, { kind: 'no-worker', process: 'haiku' }],
  ['a librarian, where none is up', 'archive', {}, { kind: 'no-worker', process: 'librarian' }],
  ['a coordinator, where none is up', 'missions', {}, { kind: 'no-worker', process: 'coordinator' }],
  [
    'a provider, in the words of its log',
    'tasks',
    { ...DAY, log: 'waits 5 s: 429' },
    { kind: 'waits-for-provider', why: 'waits 5 s: 429' },
  ],
  [
    'its budget',
    'tasks',
    { ...DAY, mark: BUDGET },
    { kind: 'waits-for-budget', waitsFor: 'budget; a higher one releases it: fleet budget USD --batch nightly' },
  ],
  [
    'a person who parked its mission',
    'tasks',
    { ...DAY, mark: BY_PERSON },
    { kind: 'parked', waitsFor: 'mission, which a person set aside; fleet resume mission-a lets it go on' },
  ],
  ['nothing, once it is released', 'tasks', { mark: { ...BUDGET, releasing: true } }, null],
  [
    'a person who parked it, though its job has not moved yet',
    'missions',
    { mission: { state: 'parked' } },
    { kind: 'parked' },
  ],
  [
    'a choice',
    'missions',
    { ...DAY, mission: { state: 'asks', problem: 'which?' } },
    { kind: 'asks', problem: 'which?' },
  ],
  [
    'the halt before its budget',
    'tasks',
    { ...DAY, mark: BUDGET, halt: true },
    { kind: 'halted', halt: { reason: 'person' } },
  ],
  ['the halt before a choice', 'missions', { ...DAY, mission: { state: 'asks' }, halt: true }, { kind: 'halted' }],
  ['a choice before its budget', 'missions', { ...DAY, mark: BUDGET, mission: { state: 'asks' } }, { kind: 'asks' }],
] satisfies [string, QueueName, object, object | null][])('a job waits for %s', async (_, queue, given, expected) => {
  const blocker = await blockerOf(queue, given);
  if (expected === null) expect(blocker).toBeNull();
  else expect(blocker).toMatchObject(expected);
});

test('a job that runs waits for nothing, also in a halted fleet; one that has ended neither', async () => {
  await redis.redis.set(redis.keys.haltReason, HALT);
  for (const state of ['active', 'completed', 'failed', 'unknown'] as const) {
    expect(await readBlocker(redis.db, { queue: 'tasks', id: 'j', state })).toBeNull();
  }
});

test('a task that is waited for says what a person must do first', async () => {
  const parts = { db: redis.db, queue: 'tasks' as const, findings: createFindingStore(redis.db) };
  await blockerOf('tasks', { ...DAY, mark: BUDGET });
  await expect(waitForJob(parts, 'j', 'finding')).rejects.toThrow(
    'parked: budget; a higher one releases it: fleet budget USD --batch nightly',
  );
  await redis.redis.set(redis.keys.haltReason, HALT);
  await expect(waitForJob(parts, 'j', 'finding')).rejects.toThrow(
    'the fleet is halted (person: prices look wrong); job j waits',
  );
});
