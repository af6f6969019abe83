import { describe, expect, it } from 'vitest';
import { readMission } from '../../src/coordinator/mission-record.ts';
import { createMissionModel, promptOf, startCoordinator, titleOf } from '../support/coordinator.ts';
import { openTestFleet, startHaiku, testConfig } from '../support/lane.ts';
import { useRedis } from '../support/redis.ts';
import { waitUntil } from '../support/wait.ts';

const redis = useRedis();

const ended = async (id: string) => {
  const record = await readMission(redis.redis, redis.keys, id);
  return record !== null && ['done', 'failed', 'asks'].includes(record.state) ? record : null;
};

describe('a mission', () => {
  it('plans, delegates, sums up and stores what it found', async () => {
    const config = { ...testConfig(redis), shards: [] };
    const model = createMissionModel([{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] }]);
    await startCoordinator(redis, config, model);
    await startHaiku(redis, config, model);
    const fleet = await openTestFleet(redis, config);
    await fleet.inner.queues.missions.add('mission', { goal: 'Find out.' }, { jobId: 'mission-1' });
    const record = await waitUntil(() => ended('mission-1'), { what: 'the end of the mission' });
    expect(record).toMatchObject({
      state: 'done',
      counts: { total: 3, done: 3, failed: 0 },
      recall: { skipped: expect.any(String) },
    });
    const finding = await fleet.findings.get(record?.finding ?? '');
    expect(finding).toMatchObject({
      kind: 'mission',
      mission_id: 'mission-1',
      citations: [expect.any(String), expect.any(String), expect.any(String)],
    });
    expect(model.calls.map(titleOf).filter((title) => title !== '')).toEqual(['plan', 'synthesis']);
    expect(promptOf(model.calls[0] ?? ({} as never))).toContain('Find out.');
  });
});
