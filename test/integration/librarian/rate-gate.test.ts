import { describe, expect, it } from 'vitest';
import { ShutdownError } from '../../../src/errors.ts';
import type { RateGate } from '../../../src/librarian/gate/types.ts';
import { acquire, acquirePermit, openGate, testShards } from '../../support/fleet/gate.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const fixture = useRedis();

/** The query is not served at once. */
async function expectToWait(gate: RateGate, request: { tokens?: number }): Promise<void> {
  await expect(acquire(gate, request, AbortSignal.timeout(400))).rejects.toHaveProperty('name', 'TimeoutError');
}

const countOf = (shards: number[]): number[] =>
  [1, 2, 3, 4, 5].map((n) => shards.filter((shard) => shard === n).length);

describe('fair spread', () => {
  /** So long that a query waits for the shard whose turn it is, also on a busy machine. */
  const patient = { spreadAfterMs: 5_000 };

  it('uses each of five fresh shards twice for ten queries one after another', async () => {
    const gate = await openGate(fixture, testShards(5), patient);
    const used: number[] = [];
    for (let i = 0; i < 10; i += 1) used.push((await acquirePermit(gate)).shard);
    expect(countOf(used)).toEqual([2, 2, 2, 2, 2]);
  });

  it('uses each of five fresh shards twice for ten queries at once', async () => {
    const gate = await openGate(fixture, testShards(5), patient);
    const permits = await Promise.all(Array.from({ length: 10 }, () => acquirePermit(gate)));
    expect(countOf(permits.map(({ shard }) => shard))).toEqual([2, 2, 2, 2, 2]);
  });

  it('uses each of five fresh shards twice for ten queries of three processes', async () => {
    const shards = testShards(5);
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => openGate(fixture, shards, patient)));
    if (!one || !two || !three) throw new Error('three gates were opened');
    const gates = [one, two, three, one, two, three, one, two, three, one];
    const permits = await Promise.all(gates.map((gate) => acquirePermit(gate)));
    expect(countOf(permits.map(({ shard }) => shard))).toEqual([2, 2, 2, 2, 2]);
  });

  it('lets no query wait while another shard has room', async () => {
    const gate = await openGate(fixture, testShards(5, { rpm: 2 }));
    for (let i = 0; i < 6; i += 1) await acquirePermit(gate, { exclude: [1, 2] });
    const permits = await Promise.all([1, 2, 3, 4].map(() => acquirePermit(gate)));
    expect(countOf(permits.map(({ shard }) => shard))).toEqual([2, 2, 0, 0, 0]);
  });

  it('never gives a query a shard it excludes', async () => {
    const gate = await openGate(fixture, testShards(3));
    const permits = await Promise.all([1, 2, 3, 4, 5, 6].map(() => acquirePermit(gate, { exclude: [1, 3] })));
    expect(permits.map(({ shard }) => shard)).toEqual([2, 2, 2, 2, 2, 2]);
    expect(await acquire(gate, { exclude: [1, 2, 3] })).toMatchObject({ kind: 'wait', reason: 'excluded' });
  });
});

describe('the window', () => {
  it('lets the sixteenth query wait until the first start has left the window', async () => {
    const windowMs = 3_000;
    const gate = await openGate(fixture, testShards(1, { windowMs }));
    const startedAt: number[] = [];
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        await acquirePermit(gate);
        startedAt.push(performance.now());
      }),
    );
    const spans = startedAt.slice(15).map((instant, i) => instant - (startedAt[i] ?? 0));
    expect(spans.every((span) => span >= windowMs)).toBe(true);
  });

  it('is one window for all processes', async () => {
    const shards = testShards(1, { rpm: 4 });
    const one = await openGate(fixture, shards);
    const two = await openGate(fixture, shards);
    await Promise.all([one, two, one, two].map((gate) => acquirePermit(gate)));
    await expectToWait(two, {});
    expect((await one.status())[0]).toMatchObject({ starts: 4, perWindow: 4 });
  });

  it('gives a released permit to a query that waits', async () => {
    const gate = await openGate(fixture, testShards(1, { rpm: 1 }));
    const first = await acquirePermit(gate);
    const second = acquirePermit(gate);
    await first.release();
    expect((await second).shard).toBe(1);
    expect((await gate.status())[0]).toMatchObject({ starts: 1, left: 1_499 });
  });

  it('applies the strictest limits where shards name the same project', async () => {
    const [one, two] = testShards(2, { project: 'shared', rpm: 3 });
    if (!one || !two) throw new Error('two shards');
    const gate = await openGate(fixture, [one, { ...two, rpm: 2, rpd: 100 }]);
    const permits = [await acquirePermit(gate), await acquirePermit(gate)];
    expect(countOf(permits.map(({ shard }) => shard))).toEqual([1, 1, 0, 0, 0]);
    await expectToWait(gate, {});
    const { redis, keys } = fixture;
    expect(await redis.mget(keys.shardQuota(1), keys.shardQuota(2))).toEqual(['98', '98']);
  });

  it('serves waiting queries in the order they came', async () => {
    const gate = await openGate(fixture, testShards(1, { rpm: 1 }));
    const first = await acquirePermit(gate);
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (n) => {
      const permit = await acquirePermit(gate);
      order.push(n);
      await permit.release();
    });
    await first.release();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  it('sends a query away that has waited for two windows', async () => {
    const gate = await openGate(fixture, testShards(1, { rpm: 1, windowMs: 1_000 }));
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => acquire(gate)));
    expect(answers.map(({ kind }) => kind)).toContain('wait');
    expect(answers.find(({ kind }) => kind === 'wait')).toMatchObject({ reason: 'minute' });
  });
});

describe('a Redis that restarts without its data', () => {
  const windowMs = 5_000;
  const shards = testShards(1, { rpm: 2, windowMs });

  /** Uses up a window's calls, restarts Redis, and returns when the last of them was made. */
  async function loseCalls(): Promise<number> {
    const gate = await openGate(fixture, shards);
    await Promise.all([acquirePermit(gate), acquirePermit(gate)]);
    const madeAt = performance.now();
    await fixture.kill();
    await fixture.start();
    return madeAt;
  }

  it('gives none of the lost calls to a process that had asked for nothing', async () => {
    const idle = await openGate(fixture, shards);
    await waitUntil(() => fixture.redis.exists(fixture.keys.gateEpoch), { what: 'the epoch' });
    const madeAt = await loseCalls();
    await acquirePermit(idle);
    expect(performance.now() - madeAt).toBeGreaterThanOrEqual(windowMs);
  });

  it('gives none of the lost calls to a process that starts at the same time', async () => {
    const madeAt = await loseCalls();
    await acquirePermit(await openGate(fixture, shards));
    expect(performance.now() - madeAt).toBeGreaterThanOrEqual(windowMs);
  });
});

describe('tokens a minute', () => {
  it('count like requests, and the estimate is replaced by what the call had', async () => {
    const gate = await openGate(fixture, testShards(1, { tpm: 1_000 }));
    const first = await acquirePermit(gate, { tokens: 900 });
    await expectToWait(gate, { tokens: 200 });
    await first.settle(500);
    expect((await gate.status())[0]).toMatchObject({ tokens: 500 });
    expect((await acquirePermit(gate, { tokens: 200 })).shard).toBe(1);
  });

  it('name the largest prompt that a shard takes', async () => {
    const [one, two] = testShards(2, { tpm: 1_000 });
    if (!one || !two) throw new Error('two shards');
    const gate = await openGate(fixture, [one, { ...two, tpm: 5_000 }]);
    expect(await acquire(gate, { tokens: 6_000 })).toEqual({ kind: 'too-large', limitTokens: 5_000 });
    const permits = await Promise.all([1, 2].map(() => acquirePermit(gate, { tokens: 2_000 })));
    expect(permits.map(({ shard }) => shard)).toEqual([2, 2]);
  });
});

describe('the life of a gate', () => {
  it('makes a permit stale once the process stood still for too long', async () => {
    const gate = await openGate(fixture, testShards(1, { windowMs: 4_000 }));
    const permit = await acquirePermit(gate);
    expect(permit.isFresh()).toBe(true);
    const end = performance.now() + 1_100;
    while (performance.now() < end); // as a process that was stopped
    expect(permit.isFresh()).toBe(false);
    await permit.release();
    expect((await gate.status())[0]).toMatchObject({ starts: 0, left: 1_500 });
  });

  it('ends a query that waits when its signal fires, and keeps nothing for it', async () => {
    const gate = await openGate(fixture, testShards(1, { rpm: 1 }));
    const first = await acquirePermit(gate);
    const stop = new AbortController();
    const waiting = acquire(gate, {}, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await first.release();
    await waitUntil(async () => (await gate.status())[0]?.left === 1_500, { what: 'the full quota' });
  });

  it('rejects waiting queries when it closes, and still counts its calls for others', async () => {
    const shards = testShards(1, { rpm: 2 });
    const one = await openGate(fixture, shards);
    await Promise.all([acquirePermit(one), acquirePermit(one)]);
    const waiting = acquire(one);
    const refused = expect(waiting).rejects.toBeInstanceOf(ShutdownError);
    await one.close();
    await refused;
    const two = await openGate(fixture, shards);
    await expectToWait(two, {});
  });

  it('writes no key outside the swarm but the public ones', async () => {
    const gate = await openGate(fixture, testShards(2, { project: null }));
    await acquirePermit(gate);
    const names = await fixture.redis.keys('*');
    const own = `{${fixture.swarm}}:`;
    expect(names.filter((name) => /shard|gate/.test(name) && !/^\{t[0-9a-f]+\}:/.test(name))).toEqual([]);
    expect(names.filter((name) => name.startsWith(own)).length).toBeGreaterThan(0);
  });
});
