import { describe, expect, it } from 'vitest';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { readLedger } from '../../../src/ledger/report/report.ts';
import { sampleTallies } from '../../../src/swarm/tallies/sample-tallies.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const fixture = useRedis();

/** Reads a stream of events until one fits. */
async function readUntil(response: Response, event: string, fits: (data: Record<string, unknown>) => boolean) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true, value: '' };
    if (done) return null;
    text += value;
    const messages = text.split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const [, name, json = ''] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
      const data = JSON.parse(json) as Record<string, unknown>;
      if (name !== event || !fits(data)) continue;
      await reader?.cancel();
      return data;
    }
  }
}

/** Calls of every command meanwhile, scripts' inner ones included. */
async function countCommands(act: () => Promise<unknown>): Promise<Record<string, number>> {
  await fixture.redis.config('RESETSTAT');
  await act();
  const text = await fixture.redis.info('commandstats');
  const rows = [...text.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map((row) => [row[1] ?? '', Number(row[2])] as const);
  return Object.fromEntries(rows.filter(([name]) => !/^(info|config|ping|client)/.test(name)));
}

/** Counts the commands of a read that is not an earlier one's answer, which is kept for a moment. */
async function countFresh(read: () => Promise<unknown>): Promise<Record<string, number>> {
  let counts: Record<string, number> = {};
  await waitUntil(async () => sum((counts = await countCommands(read))) > 0);
  return counts;
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);

describe('/api/events', () => {
  it('sends header and overview at once, and a halt by itself', async () => {
    const { ask, redis, keys } = await startDashboard(fixture);
    const stream = await ask('/api/events?of=overview');
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const whole = readUntil(stream, 'overview', ({ halt }) => halt !== null);
    const head = await readUntil(await ask('/api/events'), 'head', () => true);
    expect(head).toMatchObject({ swarm: fixture.swarm, state: 'idle', budget: { usedNanoUsd: 0, limitNanoUsd: 5e9 } });
    await redis.set(keys.haltReason, JSON.stringify({ reason: 'person', step: '', at: '', by: '', detail: 'lunch' }));
    expect(await whole).toMatchObject({ halt: { detail: 'lunch' }, choices: [{ command: 'fleet resume' }] });
    expect(await (await ask('/api/head')).json()).toMatchObject({ state: 'halted', why: 'person: lunch' });
  });

  it('names the version of the overview with each header, as an answer of its own does', async () => {
    const { ask, send } = await startDashboard(fixture);
    const version = async () => ((await (await ask('/api/status')).json()) as { version: string }).version;
    const told = async () => (await readUntil(await ask('/api/events?of=overview'), 'head', () => true))?.version;
    expect(await told()).toBe(await version());
    const before = await version();
    await send('POST', '/api/fleet/halt', { reason: 'prices' });
    expect(await version()).not.toBe(before);
    expect(await told()).toBe(await version());
  });

  it('needs a login, names its rule, and ends when Redis goes', async () => {
    const { ask } = await startDashboard(fixture, { DASHBOARD_PASSWORD: TEST_PASSWORD, DASHBOARD_USER: 'me' });
    expect((await ask('/api/events')).status).toBe(401);
    const headers = { authorization: `Basic ${btoa(`me:${TEST_PASSWORD}`)}` };
    const wrong = await ask('/api/events?of=all', { headers });
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: 'query', message: 'of: expected head or overview' },
    ]);
    const stream = await ask('/api/events', { headers });
    await fixture.kill();
    expect(await readUntil(stream, 'head', () => false)).toBeNull();
    await fixture.start();
  });

  it('reads once for all pages that follow', async () => {
    const { ask } = await startDashboard(fixture);
    await ask('/api/status'); // sends the scripts' texts once
    const one = sum(await countFresh(() => ask('/api/status')));
    const all = await countCommands(async () => {
      const streams = await Promise.all(Array.from({ length: 40 }, () => ask('/api/events?of=overview')));
      await Promise.all(streams.map((stream) => readUntil(stream, 'head', () => true)));
    });
    expect(sum(all)).toBeLessThan(20 * one);
  });
});

describe('/api/status', () => {
  it('tells each change at once to the page that made it', async () => {
    const { ask, send } = await startDashboard(fixture);
    const halt = async () => ((await (await ask('/api/status')).json()) as { halt: { at: string } | null }).halt;
    for (let i = 0; i < 5; i += 1) {
      expect(await halt()).toBeNull();
      await send('POST', '/api/fleet/halt', { reason: 'prices' });
      const at = (await halt())?.at;
      expect(at).toBeDefined();
      await send('POST', '/api/fleet/resume', { at });
    }
  });
});

describe('a million waiting tasks', () => {
  it('let overview and page of tasks send Redis the same commands as none', async () => {
    const { ask, redis, keys } = await startDashboard(fixture);
    const read = async () => (await (await ask('/api/status')).json()) as { queues: { waiting: number }[] };
    const readList = async () => (await (await ask('/api/jobs')).json()) as { jobs: object[]; looked: number };
    /** Without those inside of scripts, which read the jobs of the page. */
    const countOfList = async () => {
      const { evalsha, ping } = await countCommands(readList);
      return { evalsha, ping };
    };
    await Promise.all([read(), readList()]);
    const atNone = await countFresh(read);
    const listAtNone = await countOfList();
    const fill = `for i = 1, 1000000 do redis.call('LPUSH', KEYS[1], 't' .. i) end
      for i = 999001, 1000000 do redis.call('HSET', KEYS[2] .. i, 'name', 'task', 'data', '{"description":"x"}', 'timestamp', i) end`;
    await redis.eval(fill, 2, keys.queueKey('tasks', 'wait'), keys.queueKey('tasks', 't'));
    expect(await countFresh(read)).toEqual(atNone);
    expect((await read()).queues[0]?.waiting).toBe(1_000_000);
    expect(await countOfList()).toEqual(listAtNone);
    const { jobs, looked } = await readList();
    expect([jobs.length, looked < 1_000]).toEqual([50, true]);
  });
});

describe('/api/head', () => {
  it('changes the mark of what has changed, and no other', async () => {
    const { ask, queues, redis, keys } = await startDashboard(fixture);
    const read = async () => ((await (await ask('/api/head')).json()) as { marks: Record<string, string> }).marks;
    const first = await read();
    await queues.tasks.add('task', { description: 'Count.' });
    let marks = first;
    await waitUntil(async () => (marks = await read())['work'] !== first['work']);
    expect(marks).toEqual({ ...first, work: marks['work'] });
    await redis.hincrby(keys.spend(`day:${new Date().toISOString().slice(0, 10)}`), 'settled', 5);
    await waitUntil(async () => (marks = await read())['money'] !== first['money']);
    expect(marks).toMatchObject({ findings: first['findings'] });
    await storeFindings(fixture, { f1: { result: 'A pear.' } });
    await waitUntil(async () => (await read())['findings'] !== first['findings']);
  });
});

describe('/api/series', () => {
  interface Series {
    outcomes: Record<string, (number | null)[]>;
    dollars: Record<string, (number | null)[]>;
    durationsMs: Record<string, (number | null)[]>;
    totals: { outcomes: object; dollars: Record<string, number>; durationsMs: { p50: number; p95: number } };
  }

  it('has what the ledger and the queue have', async () => {
    const fleet = await useSimulatedFleet(fixture);
    await waitUntil(async () => (await fixture.redis.exists(fixture.keys.samples('7d'))) === 1); // before the first task ends
    const ids = [await fleet.add('one [[turns:2]]'), await fleet.add('two'), await fleet.add('three')];
    for (const id of ids) await fleet.until(id, 'completed');
    const failing = await fleet.tasks.add({ description: 'Decide on the database architecture', escalate: [] });
    await fleet.until(failing.id, 'failed');

    const { ask, db } = await startDashboard(fixture);
    const rows = await readLedger(db);
    const dollars = rows.reduce((total, row) => total + row.nano, 0) / 1e9;
    for (const [span, steps] of Object.entries({ '1h': 60, '24h': 144, '7d': 168 })) {
      const series = (await (await ask(`/api/series?span=${span}`)).json()) as Series;
      expect(series.totals.outcomes).toEqual({ completed: 3, partial: 0, failed: 1, cancelled: 0 });
      expect(series.totals.dollars['claude-haiku-5-5']).toBeCloseTo(dollars, 12);
      expect(series.totals.durationsMs.p95).toBeGreaterThanOrEqual(series.totals.durationsMs.p50);
      const sumOf = (values: (number | null)[] = []) =>
        values.reduce<number>((total, value) => total + (value ?? 0), 0);
      expect(sumOf(series.outcomes['completed'])).toBe(3);
      expect(sumOf(series.dollars['claude-haiku-5-5'])).toBeCloseTo(dollars, 12);
      for (const values of [series.outcomes, series.dollars, series.durationsMs].flatMap(Object.values))
        expect(values).toHaveLength(steps);
    }
    const wrong = await ask('/api/series?span=2h');
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { error: 'query', message: 'span: expected 1h, 24h, 7d' },
    ]);
  });

  it('sends Redis the same commands after a week as at the start', async () => {
    const { ask, redis, keys, db } = await startDashboard(fixture);
    const read = () => ask('/api/series?span=7d').then((response) => response.json());
    await read();
    const atNone = await countFresh(read);
    await redis.hset(keys.metrics, 'job|tasks|completed|1000', 3);
    const now = db.clock.now();
    for (let hour = 168; hour >= 0; hour -= 1) await sampleTallies(db, now - hour * 3_600_000);
    expect(await countFresh(read)).toEqual(atNone);
    expect(await read()).toMatchObject({ outcomes: { completed: Array.from({ length: 168 }, () => 0) } });
  });
});
