import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { noteFinding } from '../../../src/findings/store.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import type { Finding } from '../../../src/findings/finding.ts';
import { noteActivity, noteActivityOnce } from '../../../src/swarm/activity.ts';
import { followActivity, type Happening } from '../../../src/swarm/follow-activity.ts';
import type { ActivityQuery } from '../../../src/swarm/types.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

/** Notes an event in a millisecond of its own: those of one millisecond and two streams have no order. */
async function note(...args: Parameters<typeof noteActivity>): Promise<void> {
  await noteActivity(...args);
  await sleep(2);
}

/** Everything so far. */
async function read(query: Omit<ActivityQuery, 'follow'> = {}): Promise<Happening[]> {
  const found: Happening[] = [];
  const parts = { db: redis.db, url: redis.url };
  const all = { since: 0, follow: false, ...query };
  for await (const event of followActivity(parts, all, new AbortController().signal)) found.push(event);
  return found;
}

const toPairs = (events: readonly Happening[]): string[] => events.map(({ what, id }) => `${what} ${id}`);

function toFinding(id: string, more: Partial<Finding> = {}): Finding {
  const at = '2026-11-20T10:00:00.000Z';
  const fields = { finding_id: id, at, session: 'today', batch: null, result: `result of ${id}`, topics: [] };
  return { ...fields, citations: [], job_id: 'job', kind: 'other', status: 'completed', ...more } as unknown as Finding;
}

test('tells what happened in the order in which it happened, over all streams', async () => {
  const { db } = redis;
  await note(db, { what: 'joined', id: 'w1', text: '20 slots', worker: 'w1' });
  await note(db, { what: 'begun', id: 'job', batch: 'b', worker: 'w1' });
  await noteFinding(db, toFinding('f1', { batch: 'b', worker_id: 'w1', mission_id: 'm' }));
  await sleep(2);
  await note(db, { what: 'halt', id: 'person', text: 'prices look wrong' });
  await retractFinding(db, { id: 'f1', why: 'wrong', by: 'ann' });

  const events = await read();

  expect(toPairs(events)).toEqual(['joined w1', 'begun job', 'finding f1', 'halt person', 'retracted f1']);
  expect(events[2]).toMatchObject({ text: 'result of f1', batch: 'b', mission: 'm', worker: 'w1' });
  expect(Date.parse(events[0]?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
});

test('keeps the order where one stream is much longer than the others', async () => {
  const { keys, redis: client } = redis;
  const add = (stream: string, ms: number, fields: string[]) => client.xadd(stream, `${ms}-0`, ...fields);
  for (let ms = 1; ms <= 1_203; ms += 1) {
    if (ms % 400 === 1) await add(keys.activity, ms, ['what', 'halt', 'id', `h${ms}`]);
    else await add(keys.begun, ms, ['what', 'begun', 'id', `j${ms}`]);
  }

  const events = await read();

  expect(events).toHaveLength(1_203);
  const times = events.map(({ at }) => Date.parse(at));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect((await read({ since: 801 })).map(({ id }) => id).slice(0, 2)).toEqual(['h801', 'j802']);
});

test('filters by kind, batch, mission and worker; a halt concerns every batch', async () => {
  const { db } = redis;
  await note(db, { what: 'begun', id: 'a a2', batch: 'b1', worker: 'w1' }); // one step begins several jobs
  await note(db, { what: 'begun', id: 'b', batch: 'b2', mission: 'm', worker: 'w2' });
  await note(db, { what: 'halt', id: 'person', worker: 'ann' });

  expect(toPairs(await read({ batch: 'b1' }))).toEqual(['begun a', 'begun a2', 'halt person']);
  expect(toPairs(await read({ mission: 'm' }))).toEqual(['begun b', 'halt person']);
  expect(toPairs(await read({ worker: 'w2' }))).toEqual(['begun b']);
  expect(toPairs(await read({ what: ['halt'] }))).toEqual(['halt person']);
});

test('tells of a failure once: as the fleet noted it, or as BullMQ alone knows it', async () => {
  const { db, keys, redis: client } = redis;
  const events = keys.queueKey('tasks', 'events');
  await client.hset(keys.queueKey('tasks', 'foreign'), 'data', '{"batch":"b"}');
  await note(db, { what: 'failed', id: 'own', text: 'schema: wrong', batch: 'b' });
  await client.xadd(events, '*', 'event', 'failed', 'jobId', 'own', 'failedReason', 'schema: wrong');
  await client.xadd(events, '*', 'event', 'completed', 'jobId', 'other');
  await client.xadd(events, '*', 'event', 'failed', 'jobId', 'foreign', 'failedReason', 'another program failed it');
  await client.xadd(events, '*', 'event', 'failed', 'jobId', 'own', 'failedReason', 'again');

  const failed = await read({ batch: 'b' });

  expect(failed.map(({ id, text }) => `${id}: ${text}`)).toEqual([
    'own: schema: wrong',
    'foreign: another program failed it',
  ]);
});

test('notes an event once that several processes notice, and never throws for a damaged stream', async () => {
  const { db, keys, redis: client } = redis;
  const ended = { what: 'batch-ended', id: 'b', batch: 'b' } as const;
  await Promise.all([1, 2, 3].map(() => noteActivityOnce(db, 'batch:b:0', ended)));
  expect(toPairs(await read())).toEqual(['batch-ended b']);

  await client.set(keys.activity, 'no stream');
  await note(db, { what: 'resume' });
});

test('goes on after an outage with what happened meanwhile', async () => {
  const { db } = redis;
  const ended = new AbortController();
  const events: Happening[] = [];
  const following = (async () => {
    for await (const event of followActivity({ db, url: redis.url }, { since: 0 }, ended.signal)) events.push(event);
  })();
  await note(db, { what: 'halt', id: 'one' });
  await expect.poll(() => toPairs(events)).toEqual(['halt one']);

  await redis.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await note(db, { what: 'resume', id: 'two' });

  await expect.poll(() => toPairs(events), { timeout: 20_000 }).toEqual(['halt one', 'resume two']);
  ended.abort();
  await following;
});
