import { describe, expect, test } from 'vitest';
import { storePaperDecision } from '../../../src/coordinator/paper/decisions.ts';
import { savePaper } from '../../../src/coordinator/paper/record.ts';
import { titleOf } from '../../support/models/mission-model.ts';
import { SHARD_KEYS, usePaperFleet, type PaperFleet, type PaperFleetSetup } from '../../support/fleet/paper-fleet.ts';
import { OUTLINE, topicOf, toSectionReply } from '../../support/models/paper-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** A paper whose shards are all refused from its second section on. */
async function haltByShard(options: PaperFleetSetup = {}): Promise<PaperFleet> {
  const fleet: PaperFleet = await usePaperFleet(redis, {
    section(request, call) {
      if (call === 1) fleet.simulator.gemini.configure({ acceptKeys: ['none'] });
      return toSectionReply(request);
    },
    ...options,
  });
  await fleet.write();
  await fleet.untilPaper('asks');
  return fleet;
}

/** A paper whose second question gets an invalid reply while `bad` is true. */
async function haltByReply(marker: string): Promise<PaperFleet> {
  const [tea, rum] = OUTLINE.sections;
  const sections = [tea, { ...rum, question: `${rum?.question} ${marker}` }];
  const fleet = await usePaperFleet(redis, { outline: { ...OUTLINE, sections } });
  await fleet.write();
  await fleet.untilPaper('asks');
  return fleet;
}

const written = (fleet: PaperFleet) => fleet.writer.calls.filter((call) => titleOf(call) === 'section').map(topicOf);

describe('a shard that fails during a paper', () => {
  test('halts the fleet with the reason, the step, the evidence and the mission', async () => {
    const fleet = await haltByShard();

    expect(await fleet.halt.read()).toMatchObject({
      reason: 'shard',
      step: 'paper paper-1, section-2',
      detail: expect.stringMatching(/query paper-1-s2: shard: shard \d failed: .*API key.*; mission paper-1$/),
      mission: 'paper-1',
    });
    expect((await fleet.mission())?.problem).toMatch(
      /fleet resume paper-1 --retry .*--skip-gemini .*fleet park paper-1/,
    );
  });

  test('lets no further call be made, and leaves the last draft readable', async () => {
    const fleet = await haltByShard();
    expect(written(fleet)).toEqual(['tea']);
    const { drafts, text } = (await fleet.paper()) ?? {};
    expect(drafts).toEqual([expect.objectContaining({ text: 'There is tea [finding_tea].' })]);
    expect(text).toBeNull();
  });

  test('tried again once it is mended, the paper goes on where it stood', async () => {
    const fleet = await haltByShard();
    fleet.simulator.gemini.configure({ acceptKeys: SHARD_KEYS });

    await fleet.resumePaper('retry');

    await fleet.untilPaper('done');
    expect(await fleet.halt.read()).toBeNull();
    expect(written(fleet)).toEqual(['tea', 'rum', 'gin']);
    expect(fleet.writer.calls.filter((call) => titleOf(call) === 'outline')).toHaveLength(1);
  });

  test('finished without Gemini, the paper says which sections were', async () => {
    const fleet = await haltByShard();
    const asked = fleet.simulator.gemini.requests().length;

    await fleet.resumePaper('skip-gemini');

    await fleet.untilPaper('done');
    const text = (await fleet.paper())?.text;
    expect(text).toContain('- Written without Gemini from findings read by id: sections 2, 3\n');
    expect(text).toMatch(/## On rum\n\nThere is rum \[.*finding_rum.*\]\.\n/);
    expect(fleet.simulator.gemini.requests()).toHaveLength(asked);
  });

  test('parked, it lets everything else go on, and is finished later', async () => {
    const fleet = await haltByShard();
    const parked = await fleet.park();
    expect(parked).toMatchObject({ liftedHalt: true, said: expect.stringContaining('1 of 3 drafts') });

    await fleet.startHaiku(createScriptedModel(() => 'done'));
    const task = await fleet.tasks.add({ description: 'Something else' });
    expect(await task.result({ timeoutMs: 15_000 })).toBe('done');
    expect(await fleet.mission()).toMatchObject({ state: 'parked' });
    expect(written(fleet)).toEqual(['tea']);

    fleet.simulator.gemini.configure({ acceptKeys: SHARD_KEYS });
    await fleet.resumePaper('retry');
    await fleet.untilPaper('done');
    expect(written(fleet)).toEqual(['tea', 'rum', 'gin']);
  });

  test('stands still after a resume without a choice, and halts nobody again', async () => {
    const fleet = await haltByShard();
    await fleet.halt.resume('tester');
    const { queues } = fleet.inner;
    await redis.redis.hset(redis.keys.mission('paper-1'), 'state', 'running');
    await (await queues.missions.getJob('paper-1'))?.promote(); // as Bull Board does

    await fleet.untilPaper('asks');
    expect(await fleet.halt.read()).toBeNull();
    expect(written(fleet)).toEqual(['tea']);
  });

  test('that met another query is found before the next section is asked', async () => {
    const fleet = await usePaperFleet(redis, {
      async section(request, call) {
        if (call === 1)
          await redis.redis.hset(redis.keys.shardState(4), 'closed_reason', 'refused', 'last_error', '403: no');
        return toSectionReply(request);
      },
    });
    await fleet.write();
    await fleet.untilPaper('asks');
    expect((await fleet.halt.read())?.detail).toMatch(/^shard 4 failed: 403: no/);
  });
});

describe("a reply of the librarian's that is none", () => {
  test.each([
    ['[[no-citation]]', /query paper-1-s2: citations: shard \d: .*; the reply: .*rum/],
    ['[[cite-unknown]]', /query paper-1-s2: citations: shard \d: .*not shown/],
    ['[[cut]]', /query paper-1-s2: malformed: shard \d: .*cut off/],
    ['[[empty]]', /query paper-1-s2: malformed: shard \d: the reply is empty/],
  ])('halts the fleet with the reply attached: %s', async (marker, detail) => {
    const fleet = await haltByReply(marker);
    expect(await fleet.halt.read()).toMatchObject({
      reason: 'malformed',
      step: 'paper paper-1, section-2',
      detail: expect.stringMatching(detail),
      mission: 'paper-1',
    });
  });

  test('is asked for anew on retry, under another name', async () => {
    const fleet = await haltByReply('[[no-citation]]');
    await fleet.resumePaper('retry');
    await waitUntil(async () => (await fleet.paper())?.stop?.detail.includes('query paper-1-s2-2:'));
    await fleet.untilPaper('asks');
    expect((await fleet.paper())?.tries).toEqual({ 'section-2': 1 });
  });

  test('does not stop who finishes without Gemini', async () => {
    const fleet = await haltByReply('[[no-citation]]');
    await fleet.resumePaper('skip-gemini');
    await fleet.untilPaper('done');
    expect(written(fleet)).toEqual(['tea', 'rum']);
  });
});

describe("a writer's reply that does not fit", () => {
  const bad = JSON.stringify({ text: 'There is a lot of rum.', citations: [] });

  test('is repaired once', async () => {
    const fleet = await usePaperFleet(redis, {
      section: (request, call) => (call === 2 ? bad : toSectionReply(request)),
    });
    await fleet.write();
    await fleet.untilPaper('done');
    const repair = fleet.writer.calls.find((call) => call.messages.length > 1);
    expect(JSON.stringify(repair?.messages.at(-1))).toMatch(/<problem>.*cites no finding.*There is a lot of rum/);
  });

  test('also after its repair leaves the paper to its person, and the fleet at work', async () => {
    const fleet = await usePaperFleet(redis, {
      section: (request, call) => (call === 2 || call === 3 ? bad : toSectionReply(request)),
    });
    await fleet.write();

    expect((await fleet.untilPaper('asks'))?.problem).toMatch(/^section-2: malformed: .*the reply: .*lot of rum/);
    expect(await fleet.halt.read()).toBeNull();
    await fleet.resumePaper('retry');

    await fleet.untilPaper('done');
    expect(written(fleet)).toEqual(['tea', 'rum', 'rum', 'rum', 'gin']);
  });

  test('in the outline is tried again on retry, paid anew', async () => {
    const fleet = await usePaperFleet(redis, {
      outlineReply: (_, call) => (call <= 2 ? '{"title": "x", "sections": []}' : JSON.stringify(OUTLINE)),
    });
    await fleet.write();
    expect((await fleet.untilPaper('asks'))?.problem).toMatch(/^outline: malformed/);
    await fleet.resumePaper('retry');
    await fleet.untilPaper('done');
  });
});

describe('a choice', () => {
  test.each([['accept-shards', 'section-2 (shard)']] as const)(
    '%s is refused where the paper stands at something else',
    async (choice, where) => {
      const fleet = await haltByShard();
      await expect(storePaperDecision(redis.db, 'paper-1', choice)).rejects.toThrow(where);
      expect((await fleet.paper())?.stop).not.toBeNull();
    },
  );

  test('for a paper that does not exist names it', async () => {
    await expect(storePaperDecision(redis.db, 'nobody', 'retry')).rejects.toThrow(/paper nobody: no such paper/);
  });
});

test('a run that died between storing why it stands and halting halts when it starts again', async () => {
  const fleet = await usePaperFleet(redis);
  const beganAt = new Date().toISOString();
  const stop = {
    step: 'section-2',
    reason: 'shard',
    detail: 'shard 3 failed: 403',
    at: beganAt,
    halted: false,
  } as const;
  await savePaper(redis.db, 'paper-1', { beganAt, stop });
  await fleet.write();

  await fleet.untilPaper('asks');
  expect(await fleet.halt.read()).toMatchObject({ reason: 'shard', mission: 'paper-1' });
  expect(fleet.writer.calls).toHaveLength(0);
});
