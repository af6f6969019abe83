import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** Carries out a mission on models that think, and returns its log. */
async function runMission(goal: string): Promise<{ fleet: SimulatedFleet; state: string | undefined; log: string }> {
  const fleet = await useSimulatedFleet(redis, { slots: 20 });
  await fleet.startCoordinator('http', { shards: [] });
  const { id } = await fleet.missions.add({ goal });
  const isOver = async (): Promise<boolean> => (await readMission(redis.db, id))?.state !== 'running';
  await waitUntil(isOver, { what: 'the end of the mission', timeoutMs: 25_000 });
  const log = (await fleet.inner.queues.missions.getJobLogs(id)).logs.join('\n');
  return { fleet, state: (await readMission(redis.db, id))?.state, log };
}

/** The coordinator's own calls. */
const sonnetCalls = ({ simulator }: SimulatedFleet) =>
  simulator.requests().filter(({ model }) => model === 'claude-sonnet-5-5');

describe('a mission on models that think and check', () => {
  it('gets a plan repaired with the thinking of the first, which the provider accepts', async () => {
    const { fleet, state, log } = await runMission('Say it. [[tasks:3]] [[bad-plan-once]]');
    expect(state).toBe('done');
    expect(log).toMatch(/plan-repair: claude-sonnet-5-5 answered/);
    expect(log).not.toContain('refuses the thinking');
    expect(sonnetCalls(fleet).map(({ status }) => status)).toEqual([200, 200, 200]); // plan, repair, synthesis
    expect(sonnetCalls(fleet).map(({ usage }) => usage?.cache_write)).toEqual([0, 0, 0]); // nobody reads these prompts again
  });

  it('asks for a cut plan with more room first, and then for a shorter one', async () => {
    const { fleet, state, log } = await runMission('Say it. [[tasks:3]] [[cut-plan-once]]');
    expect(state).toBe('done');
    expect(log).toMatch(/plan: the reply was cut off at [\d,]+ tokens; asked once more with \d+/);
    expect(log).toMatch(/plan-more: .*\n.*plan: the reply was cut off/);
    expect(sonnetCalls(fleet)).toHaveLength(4); // plan, plan-more, plan-repair, synthesis
  });
});
