import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FleetError, JobFailedError, UsageError, WaitTimeoutError } from '../../../src/errors.ts';
import { cancelJobs } from '../../../src/tasks/cancel.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis({ appendOnly: true });
const answer = createScriptedModel(() => 'tea');

/** Whether a client waits for the next event of the queue. */
const isListening = async (): Promise<boolean> =>
  / name=fleet-events .* flags=b /.test(String(await redis.redis.client('LIST')));

let warnings: Error[] = [];
const remember = (warning: Error): unknown => warnings.push(warning);
beforeEach(() => {
  warnings = [];
  process.on('warning', remember);
});
afterEach(() => void process.off('warning', remember));

describe('finding()', () => {
  it('answers for a task that has ended already, also in another script', async () => {
    const [fleet, other] = [await useFleet(redis, { haiku: answer }), await useFleet(redis)];
    const job = await fleet.tasks.add({ description: 'What is sold?', finding_id: 'tea_1' });
    await job.finding({ timeoutMs: 10_000 });

    const again = await other.tasks.get(job.id);
    expect(again).toMatchObject({ id: job.id, added: false, state: 'completed', findingId: 'tea_1' });
    await expect(again?.finding({ timeoutMs: 0 })).resolves.toMatchObject({ finding_id: 'tea_1', result: 'tea' });
  });

  it('says how far a task is that does not end in time, and leaves it alone', async () => {
    const fleet = await useFleet(redis);
    const job = await fleet.tasks.add({ description: 'What is sold?' });
    const late = job.finding({ timeoutMs: 50 });
    await expect(late).rejects.toThrow(WaitTimeoutError);
    await expect(late).rejects.toThrow(/not done after 50 ms \(waiting\); it goes on/);

    await fleet.startHaiku(answer);
    await expect(job.result({ timeoutMs: 10_000 })).resolves.toBe('tea');
  });

  it('names the halt that a task waits behind; tasks are taken all the same', async () => {
    const fleet = await useFleet(redis);
    await fleet.halt.halt({ reason: 'budget', step: 'turn 1', by: 'test', detail: '' });
    const job = await fleet.tasks.add({ description: 'What is sold?' });
    expect(job.added).toBe(true);
    await expect(job.finding({ timeoutMs: 50 })).rejects.toThrow(/\(waiting; the fleet is halted: budget\)/);
  });

  it('fails with the reason of a failed task, at once and later', async () => {
    const fleet = await useFleet(redis);
    const job = await fleet.tasks.add({ description: 'What is sold?' });
    const waiting = job.finding({ timeoutMs: 10_000 });
    const { db, queues } = fleet.inner;
    await cancelJobs(db, queues.tasks, [job.id]);
    await fleet.startHaiku(answer);
    await expect(waiting).rejects.toThrow(JobFailedError);
    await expect(waiting).rejects.toThrow(`job ${job.id} was cancelled b`);
    await expect(job.finding({ timeoutMs: 0 })).rejects.toMatchObject({
      jobId: job.id,
      reason: expect.stringMatching(/^cancelled: /),
    });
  });

  it('finds what a job that was cleared away left behind, and says so where that is nothing', async () => {
    const fleet = await useFleet(redis, { haiku: answer });
    const job = await fleet.tasks.add({ description: 'What is sold?' }, { taskId: 'kept' });
    await job.finding({ timeoutMs: 10_000 });
    await fleet.queue.remove('kept');

    await expect(job.result({ timeoutMs: 0 })).resolves.toBe('tea');
    expect(await fleet.tasks.get('kept')).toMatchObject({ state: 'unknown' });
    expect(await fleet.tasks.add({ description: 'again' }, { taskId: 'kept' })).toMatchObject({ added: false });

    await redis.redis.del(redis.keys.finding(job.findingId));
    await expect(job.finding({ timeoutMs: 0 })).rejects.toThrow(UsageError);
    expect(await fleet.tasks.get('kept')).toBeNull();
  });

  it('sees an end that no event told of', async () => {
    const fleet = await useFleet(redis);
    const job = await fleet.tasks.add({ description: 'What is sold?' });
    const waiting = job.finding({ timeoutMs: 20_000 });
    await waitUntil(isListening);
    await redis.redis.set(redis.keys.finding(job.findingId), JSON.stringify({ result: 'tea' }));
    await redis.redis.hset(redis.keys.queueKey('tasks', job.id), { finishedOn: 1, returnvalue: 'null' });
    await expect(waiting).resolves.toMatchObject({ result: 'tea' });
  });

  it('goes on when Redis was away', async () => {
    const fleet = await useFleet(redis);
    const job = await fleet.tasks.add({ description: 'What is sold?' });
    const waiting = job.finding({ timeoutMs: 30_000 });
    await waitUntil(isListening);
    await redis.kill();
    await expect(fleet.tasks.add({ description: 'another' })).rejects.toThrow(/Redis is not reachable/);
    await expect(job.finding({ timeoutMs: 50 })).rejects.toThrow(/Redis is not reachable/);
    await redis.start();
    await fleet.startHaiku(answer);
    await expect(waiting).resolves.toMatchObject({ result: 'tea' });
  });

  it('ends with an error when the fleet is closed meanwhile', async () => {
    const fleet = await useFleet(redis);
    const job = await fleet.tasks.add({ description: 'What is sold?' });
    const waiting = job.finding({ timeoutMs: 10_000 });
    waiting.catch(() => undefined);
    await fleet.close();
    await expect(waiting).rejects.toThrow(FleetError);
    await expect(waiting).rejects.toThrow(/closed while it was waited for/);
    await fleet.close();
  });

  it('refuses a time that is none', async () => {
    const fleet = await useFleet(redis);
    const job = await fleet.tasks.add({ description: 'What is sold?' });
    await expect(job.finding({ timeoutMs: Number.NaN })).rejects.toThrow(/timeoutMs: expected .*, got NaN/);
  });
});

describe('ends()', () => {
  it('tells the end of each of many tasks, over no more connections than one wait needs', async () => {
    const fleet = await useFleet(redis, { env: { FLEET_HAIKU_CONCURRENCY: '50' } });
    const countConnections = async (): Promise<number> =>
      String(await redis.redis.client('LIST'))
        .trim()
        .split('\n').length;
    const first = await fleet.tasks.add({ description: 'first' });
    const waiting = first.result({ timeoutMs: 30_000 });
    await waitUntil(isListening);
    const before = await countConnections();

    const { ids } = await fleet.tasks.addMany(Array.from({ length: 300 }, (_, i) => ({ description: `task ${i}` })));
    const { db, queues } = fleet.inner;
    await cancelJobs(db, queues.tasks, ids.slice(0, 1));
    const iterator = fleet.tasks.ends([...ids, 'never-there'], { timeoutMs: 30_000 })[Symbol.asyncIterator]();
    const ends = [(await iterator.next()).value];
    expect(ends).toEqual([{ id: 'never-there', state: 'missing' }]);
    expect(await countConnections()).toBe(before);
    expect(before).toBe(3); // the test's, the one that adds, the one that reads events

    await fleet.startHaiku(answer);
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) ends.push(next.value);
    expect(new Set(ends.map((end) => end?.id))).toEqual(new Set([...ids, 'never-there']));
    expect(ends.filter((end) => end?.state === 'failed')).toMatchObject([{ id: ids[0] }]);
    expect(ends.filter((end) => end?.state === 'completed')).toHaveLength(299);
    await expect(waiting).resolves.toBe('tea');
    expect(warnings).toEqual([]);
  });

  it('throws when the time is over, and lets go of all when the loop is left', async () => {
    const fleet = await useFleet(redis);
    const { ids } = await fleet.tasks.addMany([{ description: 'a' }, { description: 'b' }]);
    const walk = async (): Promise<void> => {
      for await (const end of fleet.tasks.ends(ids, { timeoutMs: 50 })) throw new Error(`no end, got ${end.id}`);
    };
    await expect(walk()).rejects.toThrow(/2 of 2 tasks: not done after 50 ms/);
    for await (const end of fleet.tasks.ends([...ids, 'gone'])) if (end.id === 'gone') break;
  });
});
