import { renameSync } from 'node:fs';
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
  const withSite = { site: { 'a.md': 'hello', 'docs/b.md': 'tea' } };
  const goal = { goal: 'Find out.', workspace: 'site' };
  const listed = (request: Parameters<typeof promptOf>[0]): boolean => promptOf(request).includes('List every file');

  it('is what a worker listed, exactly, without a model and free', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model, null, withSite);
    const finding = await (await fleet.missions.add(goal, { missionId: 'm' })).finding();
    expect(planOf(model)).toContain('<files>\\na.md\\t5\\ndocs/b.md\\t3\\n</files>');
    expect(model.calls.filter(listed)).toHaveLength(0);
    const survey = await stateOf('m').then((record) => record?.survey);
    if (survey === undefined || survey === null || !('findingId' in survey)) throw new Error('there is no survey');
    expect(await fleet.findings.get(survey.findingId)).toMatchObject({ cost: 0, model: 'none', mission_id: 'm' });
    expect(finding.result).toMatchObject({ delegation: { haiku_tasks: 1 } });
    expect(await fleet.inner.queues.tasks.getJob('m-1')).toMatchObject({ data: { workspace: 'site' } });
  });

  it('is asked for twice where its folder is gone, then of the person', async () => {
    const model = createMissionModel(three);
    const fleet = await startFleet(model, null, withSite);
    renameSync(fleet.site, `${fleet.site}-gone`);
    const mission = await fleet.missions.add(goal, { missionId: 'm' });
    expect((await untilAsks('m'))?.problem).toMatch(/^the survey failed twice: workspace/);
    renameSync(`${fleet.site}-gone`, fleet.site);
    await release(fleet, 'm');
    expect((await mission.finding()).citations).toHaveLength(3);
  });

  it('is what a model lists where a version before has added the task', async () => {
    const listing = JSON.stringify({ total: 9, files: [{ path: 'a.md', bytes: 5 }] });
    const model = createMissionModel(three, { task: (request) => (listed(request) ? listing : 'found') });
    const fleet = await startFleet(model, null, withSite);
    const asBefore = { description: 'List every file of the workspace.', kind: 'search' as const, workspace: 'site' };
    await fleet.tasks.add({ ...asBefore, schema: { type: 'object', required: ['files'] } }, { taskId: 'm-survey' });
    await (await fleet.missions.add(goal, { missionId: 'm' })).finding();
    expect(planOf(model)).toContain('a.md\\t5');
    expect(planOf(model)).toContain('8 more files are not shown');
    expect(model.calls.filter(listed)).toHaveLength(1);
  });
});
