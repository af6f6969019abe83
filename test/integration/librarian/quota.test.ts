import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DayClock } from '../../../src/librarian/gate/pacific-day.ts';
import { pacificDay } from '../../../src/librarian/gate/pacific-day.ts';
import { createNotifier } from '../../../src/swarm/notify.ts';
import { acquire, acquirePermit, openGate, testShards } from '../../support/fleet/gate.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const fixture = useRedis();

const quotaOf = (shard: number): Promise<string | null> => fixture.redis.get(fixture.keys.shardQuota(shard));
const statusOf = (shard: number): Promise<string | null> => fixture.redis.get(fixture.keys.shardStatus(shard));

/** Days of a length that a test can wait for. */
const daysOf =
  (lengthMs: number): DayClock =>
  (atMs) => {
    const count = Math.floor(atMs / lengthMs);
    return { name: `day-${count}`, startsAtMs: count * lengthMs, endsAtMs: (count + 1) * lengthMs };
  };

describe("the day's quota", () => {
  it('counts down in the public key, which vanishes at midnight Pacific', async () => {
    const gate = await openGate(fixture, testShards(1, { rpd: 10 }));
    await acquirePermit(gate);
    await acquirePermit(gate);
    expect([await quotaOf(1), await statusOf(1)]).toEqual(['8', 'active']);
    const ends = pacificDay(Date.now()).endsAtMs;
    expect(await fixture.redis.pexpiretime(fixture.keys.shardQuota(1))).toBe(ends);
    expect(await fixture.redis.pexpiretime(fixture.keys.shardStatus(1))).toBe(ends);
  });

  it('sends queries away until the reset when it is used up, and says so in the public keys', async () => {
    const gate = await openGate(fixture, testShards(2, { rpd: 2 }));
    for (let i = 0; i < 4; i += 1) await acquirePermit(gate);
    const { endsAtMs } = pacificDay(Date.now());
    const answer = await acquire(gate);
    expect(answer).toMatchObject({ kind: 'wait', reason: 'day' });
    expect(Math.abs((answer.kind === 'wait' ? answer.untilMs : 0) - endsAtMs)).toBeLessThan(5_000);
    expect([await quotaOf(1), await statusOf(1), await quotaOf(2), await statusOf(2)]).toEqual([
      '0',
      'exhausted',
      '0',
      'exhausted',
    ]);
    expect((await gate.status()).map(({ state, left }) => [state, left])).toEqual([
      ['exhausted', 0],
      ['exhausted', 0],
    ]);
  });

  it('is never passed, by however many processes at once', async () => {
    const shards = testShards(2, { rpd: 7, rpm: 100 });
    const gates = await Promise.all([1, 2, 3].map(() => openGate(fixture, shards)));
    const answers = await Promise.all(gates.flatMap((gate) => Array.from({ length: 10 }, () => acquire(gate))));
    expect(answers.filter(({ kind }) => kind === 'permit')).toHaveLength(14);
    expect(answers.filter(({ kind }) => kind === 'wait')).toHaveLength(16);
  });

  it('is whole again when a new day begins', async () => {
    const gate = await openGate(fixture, testShards(1, { rpd: 2 }), { dayAt: daysOf(3_000) });
    await waitUntil(() => Date.now() % 3_000 < 300, { what: 'the beginning of a day' });
    await acquirePermit(gate);
    await acquirePermit(gate);
    const answer = await acquire(gate);
    expect(answer).toMatchObject({ kind: 'permit' }); // the day is so short that it is worth waiting for its end
    expect(await quotaOf(1)).toBe('1');
  });

  it('forgets at the new day what another program wrote without an end', async () => {
    const { redis, keys } = fixture;
    const gate = await openGate(fixture, testShards(1, { rpd: 5 }), { dayAt: daysOf(1_500) });
    await waitUntil(() => Date.now() % 1_500 < 300, { what: 'the beginning of a day' });
    await acquirePermit(gate);
    await redis.mset(keys.shardQuota(1), '0', keys.shardStatus(1), 'exhausted');
    expect(await acquire(gate)).toMatchObject({ kind: 'permit' });
    expect([await quotaOf(1), await statusOf(1)]).toEqual(['4', 'active']);
  });

  it('goes by what other programs wrote: less, a full day for a missing key, and exhausted', async () => {
    const { redis, keys } = fixture;
    const gate = await openGate(fixture, testShards(2, { rpd: 50 }));
    await redis.set(keys.shardQuota(1), '3');
    await redis.set(keys.shardStatus(2), 'exhausted');
    expect((await gate.status()).map(({ left }) => left)).toEqual([3, 0]);
    expect((await acquirePermit(gate)).shard).toBe(1);
    expect(await quotaOf(1)).toBe('2');
    await redis.decr(keys.shardQuota(1));
    expect((await acquirePermit(gate)).shard).toBe(1);
    expect(await quotaOf(1)).toBe('0');
    await redis.del(keys.shardQuota(1), keys.shardStatus(1));
    expect((await acquirePermit(gate)).shard).toBe(1);
    expect(await quotaOf(1)).toBe('49');
  });

  it.each([['not a number'], ['12.5'], [''], ['1e3']])(
    'puts a quota key right that holds %j, and says so',
    async (text) => {
      const { redis, keys } = fixture;
      const gate = await openGate(fixture, testShards(1, { rpd: 50 }));
      for (let i = 0; i < 3; i += 1) await acquirePermit(gate);
      await redis.set(keys.shardQuota(1), text);
      expect((await gate.status())[0]?.left).toBe(47);
      await acquirePermit(gate);
      expect(await quotaOf(1)).toBe('46');
      expect(gate.lines.join('')).toContain('held no number');
      expect(await redis.hget(keys.counters, 'shard_quota_repaired')).toBe('1');
    },
  );

  it('puts keys of another type right', async () => {
    const { redis, keys } = fixture;
    const gate = await openGate(fixture, testShards(1, { rpd: 50 }));
    await redis.hset(keys.shardQuota(1), 'left', '7');
    await redis.lpush(keys.shardStatus(1), 'active');
    expect((await gate.status())[0]).toMatchObject({ left: 50, state: 'ok' });
    await acquirePermit(gate);
    expect([await quotaOf(1), await statusOf(1)]).toEqual(['49', 'active']);
  });
});

describe('day pacing', () => {
  it('spreads what is left over what is left of the day', async () => {
    const dayMs = 6_000;
    const gate = await openGate(fixture, testShards(1, { rpd: 10 }), { dayAt: daysOf(dayMs), pacing: true });
    await waitUntil(() => Date.now() % dayMs < 300, { what: 'the beginning of a day' });
    const grantedAt: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      await acquirePermit(gate);
      grantedAt.push(Date.now() % dayMs);
    }
    expect((grantedAt[4] ?? 0) - (grantedAt[0] ?? 0)).toBeGreaterThanOrEqual(0.35 * dayMs);
    expect(await quotaOf(1)).toBe('5');
  });

  it('sends a query away whose turn in the day is far off', async () => {
    const gate = await openGate(fixture, testShards(1, { rpd: 4, windowMs: 1_000 }), { pacing: true });
    await acquirePermit(gate);
    const left = pacificDay(Date.now()).endsAtMs - Date.now();
    const answer = await acquire(gate);
    expect(answer).toMatchObject({ kind: 'wait', reason: 'pace' });
    expect(Math.abs((answer.kind === 'wait' ? answer.untilMs - Date.now() : 0) - left / 4)).toBeLessThan(5_000);
  });
});

describe('a 429', () => {
  it('of the minute cools the shard for as long as it says; the others go on', async () => {
    const gate = await openGate(fixture, testShards(2));
    await gate.report429(1, { scope: 'minute', retryAfterMs: 600_000, statedLimit: null });
    const used = await Promise.all([1, 2, 3].map(() => acquirePermit(gate)));
    expect(used.map(({ shard }) => shard)).toEqual([2, 2, 2]);
    expect((await gate.status()).map(({ state }) => state)).toEqual(['cooling', 'ok']);
    expect(await acquire(gate, { exclude: [2] })).toMatchObject({ kind: 'wait', reason: 'cooling' });
  });

  it('of the day uses the day up, however short a wait it names', async () => {
    const dayAt: DayClock = (atMs) => ({
      name: 'd',
      startsAtMs: atMs - (atMs % 1_000) - 3_600_000,
      endsAtMs: pacificDay(atMs).endsAtMs,
    });
    const gate = await openGate(fixture, testShards(2), { dayAt });
    await gate.report429(2, { scope: 'day', retryAfterMs: 38_000, statedLimit: null });
    expect([await quotaOf(2), await statusOf(2), await quotaOf(1)]).toEqual(['0', 'exhausted', null]);
    expect(await acquire(gate, { exclude: [1] })).toMatchObject({ kind: 'wait', reason: 'day' });
  });

  it('of the day, just after midnight, does not give the new day up', async () => {
    const dayAt: DayClock = (atMs) => ({ name: 'd', startsAtMs: atMs - 1_000, endsAtMs: atMs + 86_399_000 });
    const gate = await openGate(fixture, testShards(1), { dayAt });
    await gate.report429(1, { scope: 'day', retryAfterMs: 38_000, statedLimit: null });
    expect(await quotaOf(1)).toBeNull();
    expect((await gate.status())[0]?.state).toBe('cooling');
  });

  it('for a call of yesterday says nothing about today', async () => {
    const gate = await openGate(fixture, testShards(1));
    await gate.report429(1, { scope: 'day', retryAfterMs: 38_000, statedLimit: null, day: '2001-01-01' });
    expect([await quotaOf(1), (await gate.status())[0]?.left]).toEqual([null, 1_500]);
  });

  it('that states a lower limit teaches it to every process, and it is shown with its day', async () => {
    const shards = testShards(1);
    const one = await openGate(fixture, shards);
    const two = await openGate(fixture, shards);
    await one.report429(1, { scope: 'minute', retryAfterMs: 1, statedLimit: 2 });
    await Promise.all([acquirePermit(two), acquirePermit(two)]);
    await expect(acquire(two, {}, AbortSignal.timeout(400))).rejects.toHaveProperty('name', 'TimeoutError');
    const today = pacificDay(Date.now()).name;
    expect((await one.status())[0]).toMatchObject({
      perWindow: 2,
      starts: 2,
      stated: [{ scope: 'minute', limit: 2, day: today }],
    });
  });

  it('about tokens states how large a prompt may be', async () => {
    const gate = await openGate(fixture, testShards(1));
    await gate.report429(1, { scope: 'tokens', retryAfterMs: 1, statedLimit: 32_000 });
    expect(await acquire(gate, { tokens: 40_000 })).toEqual({ kind: 'too-large', limitTokens: 32_000 });
  });

  it('that states a higher limit than the configured one changes nothing', async () => {
    const gate = await openGate(fixture, testShards(1));
    await gate.report429(1, { scope: 'minute', retryAfterMs: 1, statedLimit: 1_000 });
    expect((await gate.status())[0]).toMatchObject({ perWindow: 15, stated: [] });
  });

  it('concerns every shard of the project', async () => {
    const gate = await openGate(fixture, testShards(2, { project: 'p' }));
    await gate.report429(1, { scope: 'minute', retryAfterMs: 600_000, statedLimit: null });
    expect(await acquire(gate)).toMatchObject({ kind: 'wait', reason: 'cooling' });
  });
});

describe('a shard that goes out', () => {
  it('is announced once, by whichever process comes first', async () => {
    const told = join(fixture.folder, 'told.jsonl');
    const notifier = createNotifier({ target: `cat >> ${told}`, db: await fixture.connectDb() });
    const gates = await Promise.all([1, 2].map(() => openGate(fixture, testShards(2, { rpd: 2 }), { notifier })));
    await Promise.all(gates.flatMap((gate) => [acquirePermit(gate), acquirePermit(gate)]));
    for (const gate of gates) await gate.reportFailure(2, { kind: 'refused', message: 'API key not valid' });
    await notifier.flush();
    const lines = readFileSync(told, 'utf8')
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(lines).toHaveLength(3);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: 'shard-out', shard: 1, reason: 'day' }),
        expect.objectContaining({ event: 'shard-out', shard: 2, reason: 'day' }),
        expect.objectContaining({ event: 'shard-out', shard: 2, reason: 'refused', detail: 'API key not valid' }),
      ]),
    );
  });
});

describe('a shard that fails', () => {
  it('is left alone, with its words, while the others go on; a success clears it', async () => {
    const gate = await openGate(fixture, testShards(5));
    await gate.reportFailure(3, { kind: 'refused', message: 'API key not valid' });
    const used = await Promise.all(Array.from({ length: 8 }, () => acquirePermit(gate)));
    expect(used.map(({ shard }) => shard).filter((shard) => shard === 3)).toEqual([]);
    expect((await gate.status())[2]).toMatchObject({
      state: 'refused',
      lastError: { message: 'API key not valid' },
    });
    expect(await acquire(gate, { exclude: [1, 2, 4, 5] })).toMatchObject({ kind: 'wait', reason: 'refused' });
    await gate.reportSuccess(3);
    expect((await acquirePermit(gate, { exclude: [1, 2, 4, 5] })).shard).toBe(3);
  });

  it('waits twice as long with each failure in a row', async () => {
    const gate = await openGate(fixture, testShards(1));
    const waits: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await gate.reportFailure(1, { kind: 'unavailable', message: '503' });
      waits.push((await gate.status())[0]?.closedForMs ?? 0);
    }
    expect(waits.map((ms) => Math.ceil(ms / 1_000))).toEqual([5, 10, 20]);
  });

  it('leaves the other keys of its project to others', async () => {
    const gate = await openGate(fixture, testShards(2, { project: 'p' }));
    await gate.reportFailure(1, { kind: 'refused', message: 'API key not valid' });
    const used = await Promise.all([1, 2, 3].map(() => acquirePermit(gate)));
    expect(used.map(({ shard }) => shard)).toEqual([2, 2, 2]);
  });
});
