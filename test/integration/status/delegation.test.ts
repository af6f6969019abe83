import { describe, expect, it } from 'vitest';
import { writeMission, type MissionPatch } from '../../../src/coordinator/mission/record.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const test = useRedis();

async function addMission(id: string, createdAt: number, patch: MissionPatch): Promise<void> {
  await test.redis.zadd(test.keys.missions, createdAt, id);
  await writeMission(test.db, id, { goal: `goal of ${id}`, state: 'running', ...patch }, new Date(createdAt));
}

describe('the status', () => {
  it('has the newest five missions, newest first, with what each has cost', async () => {
    const fleet = await useFleet(test);
    for (let i = 1; i <= 7; i += 1) await addMission(`m-${i}`, i, {});
    const counts = { total: 3, added: 3, done: 1, failed: 1, cancelled: 0, skipped: 0 };
    await addMission('m-7', 7, { step: 'wait', counts, goal: `Describe  all\n${'code '.repeat(50)}` });
    await test.redis.hset(test.keys.spend('mission:m-7'), 'settled', 5_000);
    const { missions } = await fleet.status();
    expect(missions.map(({ id }) => id)).toEqual(['m-7', 'm-6', 'm-5', 'm-4', 'm-3']);
    expect(missions[0]).toMatchObject({
      state: 'waiting',
      tasks: { total: 3, done: 1, failed: 1, cancelled: 0, skipped: 0 },
      costNanoUsd: 5_000,
      goal: expect.stringMatching(/^Describe all code .{40,62} …$/) as string,
    });
  });

  it('passes over a mission whose record is gone', async () => {
    const fleet = await useFleet(test);
    await test.redis.zadd(test.keys.missions, 1, 'gone');
    expect((await fleet.status()).missions).toEqual([]);
  });

  it('sends the same commands for five missions and for a thousand', async () => {
    const fleet = await useFleet(test);
    const commands = async (): Promise<number> => {
      await fleet.status();
      await test.redis.config('RESETSTAT');
      await fleet.status();
      const rows = [...(await test.redis.info('commandstats')).matchAll(/cmdstat_(\w+)[^:]*:calls=(\d+)/g)];
      return rows
        .filter(([, name]) => name !== 'info' && name !== 'config')
        .reduce((sum, [, , calls]) => sum + Number(calls), 0);
    };
    for (let i = 0; i < 5; i += 1) await addMission(`m-${i}`, i, {});
    const few = await commands();
    for (let i = 5; i < 1_000; i += 1) await addMission(`m-${i}`, i, {});
    expect(await commands()).toBe(few);
  });

  it('tells the coordinator’s own calls and the saving after rework', async () => {
    const fleet = await useFleet(test);
    const session = await fleet.inner.currentSession();
    const day = new Date().toISOString().slice(0, 10);
    await test.redis.hset(test.keys.sessionTotals(session), {
      'coordinator:nano': 7,
      'coordinator:tokens': 8,
      'coordinator:calls': 2,
      'rework:nano': 100_000,
      'rework:tasks': 1,
    });
    await test.redis.sadd(test.keys.ledgerDays, day);
    const row = `${session}||m|claude-haiku-5-5|w|`;
    await test.redis.hset(test.keys.ledger(day), {
      [`${row}nano`]: 200_000,
      [`${row}input`]: 2_000,
      [`${row}rework_nano`]: 100_000,
      [`${row}rework_input`]: 1_000,
      'another||m|claude-haiku-5-5|w|nano': 9_000_000,
    });
    const { coordinator, rework, saving } = await fleet.status();
    expect(coordinator).toEqual({ nanoUsd: 7, tokens: 8, calls: 2 });
    expect(rework).toEqual({ nanoUsd: 100_000, tasks: 1 });
    expect(saving).toEqual({ savedPercent: 95, effectiveSavedPercent: 90 }); // 0.0002 against 0.004, and against 0.002
  });

  it('reads no ledger where nothing was spent in vain', async () => {
    const fleet = await useFleet(test);
    expect((await fleet.status()).saving).toBeNull();
  });
});
