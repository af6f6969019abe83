import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { resumeMission } from '../../../src/coordinator/control/resume.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { createMissionModel, promptOf, titleOf } from '../../support/models/mission-model.ts';
import { useFleet, type FleetSetup, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { createScriptedArchive, type ScriptedArchive } from '../../support/models/scripted-archive.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const three = [{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] }];

type MissionModel = ReturnType<typeof createMissionModel>;

async function startFleet(
  model: MissionModel,
  archive: ScriptedArchive | null,
  setup: FleetSetup = {},
): Promise<TestFleet> {
  await storeFindings(redis, { known: { task: 'look', result: 'The pages are in docs.' } });
  const librarian = archive === null ? { config: { shards: [] } } : { librarian: archive };
  return useFleet(redis, { ...setup, coordinator: model, haiku: model, ...librarian });
}

const stateOf = async (id: string) => readMission(redis.db, id);
const untilAsks = async (id: string) =>
  waitUntil(
    async () => {
      const record = await stateOf(id);
      return record?.state === 'asks' ? record : null;
    },
    { what: 'the question to the person' },
  );
const planOf = (model: MissionModel) => promptOf(model.calls.find((call) => titleOf(call) === 'plan') as never);

/** Resumes the mission, as `fleet resume ID --retry` does. */
async function release({ inner }: OpenFleet, id: string): Promise<void> {
  const { db, queues } = inner;
  const halt = { read: async () => null } as never;
  await waitUntil(async () => (await queues.missions.getJobState(id)) === 'delayed');
  await resumeMission({ db, queues, halt }, id, 'retry', 'a person');
}

describe('what a mission recalls', () => {
  it('is asked of the archive, told to the planner, and may be cited', async () => {
    const archive = createScriptedArchive(() => ({ answer: 'They are in docs [known].', citations: ['known'] }));
    const model = createMissionModel(three, {
      synthesis: () => JSON.stringify({ answer: 'In docs [known].', citations: ['known'] }),
    });
    const fleet = await startFleet(model, archive);
    const finding = await (await fleet.missions.add({ goal: 'Find the pages.' }, { missionId: 'm' })).finding();
    expect(planOf(model)).toContain('They are in docs [known].');
    expect(finding.citations).toEqual(['known']);
    expect(archive.calls[0]?.prompt).toContain('Find the pages.');
    expect(await fleet.inner.queues.archive.getJob('archive_m-recall')).toMatchObject({ data: { mission_id: 'm' } });
  });

  it('is skipped without shards, and the record says so', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model, null);
    await (await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' })).finding();
    expect((await stateOf('m'))?.recall).toEqual({ skipped: expect.stringContaining('no shard') });
  });

  it('is asked once more with the error, then the mission goes on', async () => {
    const archive = createScriptedArchive((_, count) =>
      count === 1 ? { text: 'no answer' } : { answer: 'NOT IN ARCHIVE' },
    );
    const model = createMissionModel(three);
    const fleet = await startFleet(model, archive);
    await (await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' })).finding();
    expect(archive.calls[1]?.prompt).toContain('The last attempt to answer this failed: malformed');
    expect(planOf(model)).not.toContain('<archive>');
  });

  it('failing twice asks the person, and goes on once it is let go', async () => {
    const archive = createScriptedArchive((_, count) =>
      count <= 2 ? { text: 'no answer' } : { answer: 'NOT IN ARCHIVE' },
    );
    const model = createMissionModel(three);
    const fleet = await startFleet(model, archive);
    const mission = await fleet.missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    expect((await untilAsks('m'))?.problem).toMatch(/^the recall failed twice: malformed/);
    expect(model.calls).toHaveLength(0);
    await release(fleet, 'm');
    expect((await mission.finding()).citations).toHaveLength(3);
  });
});

describe('what a mission knows of its workspace', () => {
  const listing = JSON.stringify({ total: 9, files: [{ path: 'a.md', bytes: 5 }] });
  const surveying = (answer: (call: number) => string) => {
    let surveys = 0;
    return createMissionModel(three, {
      task: (request) => {
        if (!promptOf(request).includes('List every file')) return 'found';
        surveys += 1;
        return answer(surveys);
      },
    });
  };
  const withSite = { site: { 'a.md': 'hello' } };

  it('is what a worker listed', async () => {
    const model = surveying(() => listing);
    const fleet = await startFleet(model, null, withSite);
    await (await fleet.missions.add({ goal: 'Find out.', workspace: 'site' }, { missionId: 'm' })).finding();
    expect(planOf(model)).toContain('a.md\\t5');
    expect(planOf(model)).toContain('8 more files are not shown');
    expect(await fleet.inner.queues.tasks.getJob('m-1')).toMatchObject({ data: { workspace: 'site' } });
  });

  it('is asked for twice, then of the person', async () => {
    const model = surveying((call) => (call <= 4 ? 'no list' : listing)); // each task is repaired once
    const fleet = await startFleet(model, null, withSite);
    const mission = await fleet.missions.add({ goal: 'Find out.', workspace: 'site' }, { missionId: 'm' });
    expect((await untilAsks('m'))?.problem).toMatch(/^the survey failed twice: schema/);
    await release(fleet, 'm');
    expect((await mission.finding()).citations).toHaveLength(3);
  });
});
