import { renameSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readMission } from '../../../src/coordinator/mission/record.ts';
import { createMissionModel, idsGiven, promptOf, titleOf } from '../../support/models/mission-model.ts';
import { createScriptedArchive, type ScriptedArchive } from '../../support/models/scripted-archive.ts';
import type { Step } from '../../support/models/scripted-model.ts';
import { useFleet, type FleetSetup } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const three = [{ id: 'look', description: 'Look at {item}', for_each: ['a', 'b', 'c'] }];
type Answers = NonNullable<Parameters<typeof createMissionModel>[1]>;

async function start(answers: Answers = {}, { archive, ...setup }: FleetSetup & { archive?: ScriptedArchive } = {}) {
  const model = createMissionModel(three, answers);
  const librarian = archive === undefined ? { config: { shards: [] } } : { librarian: archive };
  const fleet = await useFleet(redis, { ...setup, ...librarian, coordinator: model, haiku: model });
  const until = async (state: string) => {
    await waitUntil(async () => (await readMission(redis.db, 'm'))?.state === state, { what: state });
    const job = state === 'asks' ? 'delayed' : 'failed';
    await waitUntil(async () => (await fleet.inner.queues.missions.getJobState('m')) === job);
  };
  const promptTo = (title: string) => promptOf(model.calls.findLast((call) => titleOf(call) === title) as never);
  return { ...fleet, model, until, promptTo };
}

/** A synthesis that rests on the person's first answer, too. */
const citing = (request: Parameters<typeof idsGiven>[0]): Step =>
  JSON.stringify({ answer: `Done [person-1] [${idsGiven(request).join(', ')}]`, citations: ['person-1'] });

describe('a mission that asks', () => {
  it('after a recall that failed twice asks the archive with the words, and goes on without what it does not find', async () => {
    await storeFindings(redis, { known: { task: 'look', result: 'The pages are in docs.' } });
    const archive = createScriptedArchive(() => ({ text: 'no answer' }));
    const { missions, until, promptTo } = await start({ synthesis: citing }, { archive });
    await missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    await until('asks');
    const answered = await missions.answer('m', '  The docs are in German.\n');
    expect(answered).toMatchObject({ n: 1, again: false, retried: [], waivesQuorum: false });
    const finding = await (await missions.get('m'))?.finding();
    expect(archive.calls).toHaveLength(4);
    expect(archive.calls.slice(2).map(({ prompt }) => prompt.includes('The docs are in German.'))).toEqual([
      true,
      true,
    ]);
    for (const title of ['plan', 'synthesis']) {
      expect(promptTo(title)).toMatch(
        /<person>.*\[person-1\] Asked: the recall failed twice.*Answered: The docs are in German\..*<\/person>/,
      );
    }
    expect(finding?.citations).not.toContain('person-1');
    expect(finding?.result).toMatchObject({
      answers: [
        { id: 'person-1', text: 'The docs are in German.', cited: true, by: expect.stringContaining('@') as string },
      ],
    });
    expect((await readMission(redis.db, 'm'))?.answers).toMatchObject([{ n: 1, text: 'The docs are in German.' }]);
  });

  it('after a survey that failed twice plans with the words', async () => {
    const { missions, until, promptTo, site } = await start({}, { site: { 'a.md': 'hello' } });
    renameSync(site, `${site}-gone`);
    await missions.add({ goal: 'Find out.', workspace: 'site' }, { missionId: 'm' });
    await until('asks');
    await missions.park('m');
    await missions.answer('m', 'There is only a.md.');
    await waitUntil(async () => (await readMission(redis.db, 'm'))?.plan !== null, { what: 'the plan' });
    renameSync(`${site}-gone`, site);
    expect(promptTo('plan')).toContain('Answered: There is only a.md.');
  });

  it('takes no answer that says nothing, is too long, or comes unasked', async () => {
    const { missions } = await start();
    await missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    await (await missions.get('m'))?.finding();
    await expect(missions.answer('m', ' ')).rejects.toThrow('expected an answer in words, got nothing');
    await expect(missions.answer('m', 'x'.repeat(4_001))).rejects.toThrow(
      'has 4,001 characters, expected at most 4,000',
    );
    await expect(missions.answer('m', 'Yes')).rejects.toThrow('is done and asks nothing');
    await expect(missions.answer('x', 'Yes')).rejects.toThrow('there is none of this id; the newest are m');
  });
});

describe('a mission that missed its quorum', () => {
  it('goes on with what there is, and the answer', async () => {
    const refusing: Answers = {
      task: (request) => (/Look at [bc]/.test(promptOf(request)) ? { text: '', stopReason: 'refusal' } : 'found'),
      synthesis: citing,
    };
    const { missions, until, model } = await start(refusing);
    await missions.add({ goal: 'Find out.' }, { missionId: 'm' });
    await until('failed');
    expect(await missions.answer('m', 'Leave b and c out.')).toMatchObject({ waivesQuorum: true, retried: [] });
    const finding = await (await missions.get('m'))?.finding();
    expect(finding?.result).toMatchObject({ counts: { done: 1, failed: 2 }, answers: [{ cited: true }] });
    expect(model.calls.filter((call) => titleOf(call) === 'plan')).toHaveLength(1);
  });

  it('gives the answer to the tasks that handed themselves back, whose quorum still holds', async () => {
    const handing: Answers = {
      task: (request) =>
        promptOf(request).includes('Look at b') && !promptOf(request).includes('The person answers: Take the second.')
          ? { tools: [{ name: 'hand_back', input: { reason: 'ambiguous requirements', explanation: 'Which one?' } }] }
          : 'found',
    };
    const { missions, until, tasks } = await start(handing);
    await missions.add({ goal: 'Find out.', quorum: 1 }, { missionId: 'm' });
    await until('failed');
    expect(await missions.answer('m', 'Take the second.')).toMatchObject({ retried: ['m-2'], waivesQuorum: false });
    const finding = await (await missions.get('m'))?.finding();
    expect(finding?.result).toMatchObject({ counts: { done: 3, failed: 0 } });
    expect((await (await tasks.get('m-2'))?.finding())?.task).toMatch(/^Look at b\n\nYou had handed this task back/);
  });
});
