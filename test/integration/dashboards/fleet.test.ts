import { describe, expect, it } from 'vitest';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const fixture = useRedis();

describe('/api/fleet', () => {
  it('halts, lifts only the halt that the page showed, and sets budgets', async () => {
    const { send, redis, keys, queues } = await startDashboard(fixture);
    const post = async (action: string, body: object) => {
      const answer = await send('POST', `/api/fleet/${action}`, body);
      return [answer.status, await answer.json()] as const;
    };
    expect(await post('halt', { reason: ' ' })).toMatchObject([400, { message: 'reason: expected a reason' }]);
    expect(await post('halt', { reason: 'prices' })).toMatchObject([200, { halted: true, halt: { detail: 'prices' } }]);
    expect(await post('halt', { reason: 'again' })).toMatchObject([200, { halted: false, halt: { detail: 'prices' } }]);
    expect(await queues.tasks.isPaused()).toBe(true);
    const { at } = JSON.parse((await redis.get(keys.haltReason)) ?? '') as { at: string };
    expect(await post('resume', { at: '2026-01-01T00:00:00.000Z' })).toMatchObject([
      409,
      { message: 'the fleet is halted for another reason by now: person; look at it first' },
    ]);
    expect(await post('resume', { at })).toMatchObject([200, { detail: 'prices' }]);
    expect(await post('resume', { at })).toMatchObject([409, { error: 'fleet' }]);
    expect(await queues.tasks.isPaused()).toBe(false);

    expect(await post('budget', { limitUsd: '7.5' })).toMatchObject([200, { limitUsd: '7.500000' }]);
    expect(await post('budget', { limitUsd: ' 7.5 ' })).toMatchObject([200, { limitUsd: '7.500000' }]);
    expect(await post('budget', { limitUsd: '99999999999' })).toMatchObject([
      409,
      { message: 'budget: expected at most 9007199 dollars, got "99999999999"' },
    ]);
    expect(await redis.hget(keys.budget, 'day')).toBe('7500000000');
    for (const limitUsd of ['-1', '1e3', 'much', '']) expect((await post('budget', { limitUsd }))[0]).toBe(400);
    expect(await post('budget', { limitUsd: '1', scope: { batch: 'none' } })).toMatchObject([404, { error: 'fleet' }]);
    expect((await post('budget', { limitUsd: '1', scope: { batch: 'a', task: 'b' } }))[0]).toBe(400);
  });
});
