import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { createScriptedArchive, idsShown } from '../../support/models/scripted-archive.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createToolWorkspace } from '../../support/tool-workspace.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** Coordinator and worker in this process, both on the simulated provider over HTTP. */
async function openMissionFleet(env: Record<string, string> = {}): Promise<SimulatedFleet> {
  const fleet = await useSimulatedFleet(redis, { slots: 20, env });
  await fleet.startCoordinator('http', { shards: [] });
  return fleet;
}

async function run(fleet: SimulatedFleet, mission: { goal: string; workspace?: string; quorum?: number }) {
  const { id } = await fleet.missions.add(mission);
  const record = await waitUntil(
    async () => {
      const found = await readMission(redis.db, id);
      return found !== null && found.state !== 'running' ? found : null;
    },
    { what: 'the end of the mission', timeoutMs: 25_000 },
  );
  if (record === null) throw new Error('no record');
  const finding = record.finding === null ? null : await fleet.findings.get(record.finding);
  return { record, answer: (finding?.result ?? {}) as { answer?: string } };
}

/** Cites the first finding of the prompt. */
async function openLibrarian(fleet: SimulatedFleet): Promise<void> {
  const archive = createScriptedArchive((call) => {
    const [id = ''] = idsShown(call);
    return { answer: `It is there [${id}].`, citations: [id] };
  });
  await fleet.startLibrarian(archive);
}

describe('a mission on the simulated Sonnet', () => {
  it('looks through a real folder and answers from what was found there', async () => {
    const workspace = await createToolWorkspace();
    await workspace.put('README.md', '# Tea\n\nAll about tea.\n');
    await workspace.put(
      'lib/tea.ts',
      '/** Brews tea. */\nexport function brew(): number {\n  return 3; // TODO: more\n}\n',
    );
    await workspace.put('lib/cup.ts', "import { brew } from '../tea.ts';\nexport const cup = brew();\n");
    await workspace.put('docs/guide.md', '# Guide\n\nHow tea is brewed.\n');
    const fleet = await openMissionFleet({ FLEET_WORKSPACES: `site=${workspace.root}` });
    await openLibrarian(fleet);
    const { record, answer } = await run(fleet, {
      goal: 'What is in here, and what is left to do?',
      workspace: 'site',
    });
    expect(record).toMatchObject({ state: 'done', counts: { failed: 0, skipped: 0 } });
    expect(record.counts.done).toBeGreaterThanOrEqual(10);
    expect(answer.answer).toMatch(/`TODO` occurs 1 time on 1 line in 1 file \[finding_\w+\]/);
  });

  it('names the tasks that failed, and answers all the same above the quorum', async () => {
    const { record, answer } = await run(await openMissionFleet(), { goal: 'Try [[tasks:20]] [[fail:2]]' });
    expect(record).toMatchObject({ state: 'done', counts: { total: 20, done: 18, failed: 2 } });
    expect(answer.answer).toContain('2 tasks failed');
  });

  it('fails below the quorum', async () => {
    const { record } = await run(await openMissionFleet(), { goal: 'Try [[tasks:10]] [[fail:5]]' });
    expect(record).toMatchObject({ state: 'failed', counts: { done: 5, failed: 5 } });
  });

  it('skips what depends on a failed task', async () => {
    const { record } = await run(await openMissionFleet(), { goal: 'Try [[depends:3]] [[fail:1]]', quorum: 0 });
    expect(record.counts).toMatchObject({ done: 0, failed: 1, skipped: 2 });
  });

  it('gives a tenth of its tasks to Sonnet, and no more when it is sent back', async () => {
    const fleet = await openMissionFleet();
    const { record } = await run(fleet, { goal: 'Try [[tasks:20]] [[sonnet-once:9]]' });
    expect(record).toMatchObject({ state: 'done', counts: { total: 20, done: 20 } });
    expect((await fleet.status()).spend.sonnet.tasks).toBe(2);
  });

  it.each(['[[bad-plan]]', '[[cycle]]', '[[no-tasks]]', '[[broken-plan]]'])(
    'fails on a plan that stays wrong: %s',
    async (marker) => {
      const { record } = await run(await openMissionFleet(), { goal: `Try ${marker}` });
      expect(record).toMatchObject({ state: 'failed', counts: { added: 0 } });
    },
  );

  it('lets a person look at a plan that stays with too much Sonnet', async () => {
    const { record } = await run(await openMissionFleet(), { goal: 'Try [[sonnet:9]]' });
    expect(record).toMatchObject({ state: 'planned', counts: { added: 0 } });
  });

  it.each([
    '[[bad-plan-once]]',
    '[[uncited-synthesis-once]]',
    '[[unknown-synthesis-once]]',
    '[[broken-synthesis-once]]',
  ])('is mended by the repair of one reply: %s', async (marker) => {
    const { record } = await run(await openMissionFleet(), { goal: `Try [[tasks:3]] ${marker}` });
    expect(record.state).toBe('done');
  });
});
