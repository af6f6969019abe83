import { describe, expect, test } from 'vitest';
import { createArchiveContext, type ArchiveContext } from '../../../src/librarian/archive/context.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { idsShown } from '../../support/models/scripted-archive.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const EVERYTHING = { question: 'What is there?', maxBytes: 10_000_000 };

async function open(options: { maxHeldBytes?: number } = {}): Promise<ArchiveContext> {
  const context = createArchiveContext(redis.db, options);
  await context.refresh();
  return context;
}

async function shown(context: ArchiveContext, request: Partial<typeof EVERYTHING & { filter: object }> = {}) {
  await context.refresh();
  const { text, ids } = await context.show({ ...EVERYTHING, ...request });
  const inText = idsShown({ prompt: text });
  expect([...ids]).toEqual(inText);
  return inText;
}

/** `f0` … oldest first, an hour apart. */
const hourly = (count: number, from = 0) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `f${from + i}`,
      {
        result: `fact ${from + i}`,
        session: `s${(from + i) % 2}`,
        at: new Date((from + i) * 3_600_000).toISOString(),
      },
    ]),
  );

describe('the archive context', () => {
  test('holds all findings, oldest first, whatever order they came in', async () => {
    const { f0, f1, f2 } = hourly(3);
    await storeFindings(redis, { f2: f2 ?? {}, f0: f0 ?? {}, f1: f1 ?? {} });
    expect(await shown(await open())).toEqual(['f0', 'f1', 'f2']);
  });

  test('puts what is new behind what it has shown, so that a cached beginning stays one', async () => {
    await storeFindings(redis, hourly(3, 10));
    const context = await open();
    const before = (await context.show(EVERYTHING)).text;

    await storeFindings(redis, hourly(1));

    await context.refresh();
    const after = (await context.show(EVERYTHING)).text;
    expect(after.startsWith(before)).toBe(true);
    expect(idsShown({ prompt: after }).at(-1)).toBe('f0');
  });

  test('reads nothing again that has not changed', async () => {
    await storeFindings(redis, hourly(50));
    const context = await open();
    await storeFindings(redis, hourly(1, 50));
    await redis.redis.config('RESETSTAT');

    expect(await shown(context)).toHaveLength(51);

    const stats = await redis.redis.info('commandstats');
    expect(/cmdstat_mget:calls=(\d+)/.exec(stats)?.[1]).toBe('1');
    expect(stats).not.toMatch(/cmdstat_(zrange|scan|keys|get):/);
    expect(context.stats().comparisons).toBe(1);
  });

  test('reads strings, old hashes and six-field findings, skips and counts what is none', async () => {
    const { redis: admin, keys } = redis;
    await storeFindings(redis, { ours: { result: 'ours' } });
    await admin.hset(keys.finding('old'), {
      task_id: 't',
      worker_id: 'w',
      timestamp: '2025-11-21T10:15:00',
      content: 'of old',
    });
    const six = { task_id: 't', worker_id: 'w', timestamp: '2025-11-21T10:15:00', task: 'a', result: 'six', cost: 0 };
    await admin.set(keys.finding('six'), JSON.stringify(six));
    await admin.set(keys.finding('broken'), '{"result": ');
    await admin.zadd(keys.index, 1, 'old', 2, 'six', 3, 'broken', 4, 'vanished');

    const context = await open();

    expect(await shown(context)).toEqual(['old', 'six', 'ours']);
    expect((await context.show(EVERYTHING)).text).toMatch(/of old[\s\S]*six/);
    expect(context.stats()).toMatchObject({ findings: 3, skipped: 2, comparisons: 1 });
  });

  test('never shows a retracted finding again', async () => {
    await storeFindings(redis, hourly(3));
    const context = await open();
    expect(await shown(context)).toEqual(['f0', 'f1', 'f2']);

    await retractFinding(redis.db, { id: 'f1', why: 'wrong', by: 'test' });

    expect(await shown(context)).toEqual(['f0', 'f2']);
    expect(await shown(await open())).toEqual(['f0', 'f2']);
    expect(context.stats().comparisons).toBe(1);
  });

  test('reads a finding again that an event says has changed', async () => {
    await storeFindings(redis, hourly(2));
    const context = await open();
    await redis.redis.set(redis.keys.finding('f0'), JSON.stringify({ result: 'condensed', summary_id: 'f9' }));
    await redis.redis.xadd(redis.keys.events, '*', 'changed', 'f0', 'why', 'condensed');

    expect(await shown(context)).toEqual(['f1']);
  });

  test('compares with the whole index when events were trimmed away unread', async () => {
    await storeFindings(redis, hourly(3));
    const context = await open();
    await storeFindings(redis, hourly(3, 3));
    await redis.redis.zrem(redis.keys.index, 'f0');
    await redis.redis.xtrim(redis.keys.events, 'MAXLEN', 1);

    expect(await shown(context)).toEqual(['f1', 'f2', 'f3', 'f4', 'f5']);
    expect(context.stats().comparisons).toBe(2);
  });

  test('finds what came into the index without an event', async () => {
    await storeFindings(redis, hourly(2));
    const context = await open();
    await redis.redis.set(redis.keys.finding('quiet'), '{"result":"quiet"}');
    await redis.redis.zadd(redis.keys.index, 5, 'quiet');

    expect(await shown(context)).toEqual(['f0', 'f1', 'quiet']);
  });

  test('shows every caller at once what was recorded before its call', async () => {
    await storeFindings(redis, hourly(20));
    const context = createArchiveContext(redis.db);
    const counts = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        await storeFindings(redis, hourly(1, 100 + i));
        await context.refresh();
        const { ids } = await context.show(EVERYTHING);
        return ids.has(`f${100 + i}`);
      }),
    );
    expect(counts).toEqual(counts.map(() => true));
  });

  test('counts what it left out of what a filter lets through', async () => {
    await storeFindings(redis, hourly(10));
    const context = await open();
    const all = await context.show({ ...EVERYTHING, filter: { session: 's1' } });
    expect([...all.ids]).toEqual(['f1', 'f3', 'f5', 'f7', 'f9']);
    expect(all.leftOut).toBeNull();

    const half = await context.show({ question: 'why?', filter: { session: 's1' }, maxBytes: all.bytes / 2 });

    expect([...half.ids]).toEqual(['f7', 'f9']);
    expect(half.leftOut).toEqual({ count: 3, bytes: all.bytes - half.bytes });
  });

  test('holds no more text than it may, and reads older texts again where a filter asks for them', async () => {
    await storeFindings(redis, hourly(20));
    const context = await open({ maxHeldBytes: 1_000 });

    expect(await shown(context)).toHaveLength(20);
    const early = await context.show({ ...EVERYTHING, filter: { since: new Date(0).toISOString() } });
    expect(early.text).toContain('fact 0');
    expect(early.text).toContain('fact 19');
  });

  test('is empty for a filter that nothing fits', async () => {
    await storeFindings(redis, hourly(2));
    const context = await open();
    const none = await context.show({ ...EVERYTHING, filter: { topic: 'nothing' } });
    expect(none).toMatchObject({ text: '', bytes: 0, leftOut: null });
  });
});
