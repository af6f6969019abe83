import { describe, expect, test } from 'vitest';
import { storePaperDecision } from '../../../src/coordinator/paper/decisions.ts';
import { savePaper } from '../../../src/coordinator/paper/record.ts';
import { titleOf } from '../../support/models/mission-model.ts';
import { startHaiku } from '../../support/fleet/in-process-fleet.ts';
import {
  openPaperLane,
  OUTLINE,
  SHARD_KEYS,
  topicOf,
  toSectionReply,
  type PaperLaneOptions,
} from '../../support/fleet/paper-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

type Lane = Awaited<ReturnType<typeof openPaperLane>>;

/** A paper whose shards are all refused from its second section on. */
async function haltByShard(options: PaperLaneOptions = {}): Promise<Lane> {
  const lane: Lane = await openPaperLane(redis, {
    section(request, call) {
      if (call === 1) lane.simulator.gemini.configure({ acceptKeys: ['none'] });
      return toSectionReply(request);
    },
    ...options,
  });
  await lane.write();
  await lane.until('asks');
  return lane;
}

/** A paper whose second question gets a reply that is none, as long as `bad` says so. */
async function haltByReply(marker: string): Promise<Lane> {
  const [tea, rum] = OUTLINE.sections;
  const sections = [tea, { ...rum, question: `${rum?.question} ${marker}` }];
  const lane = await openPaperLane(redis, { outline: { ...OUTLINE, sections } });
  await lane.write();
  await lane.until('asks');
  return lane;
}

const written = (lane: Lane) => lane.writer.calls.filter((call) => titleOf(call) === 'section').map(topicOf);

describe('a shard that fails during a paper', () => {
  test('halts the fleet with the reason, the step, the evidence and the mission', async () => {
    const lane = await haltByShard();

    expect(await lane.halt.read()).toMatchObject({
      reason: 'shard',
      step: 'paper paper-1, section-2',
      detail: expect.stringMatching(/query paper-1-s2: shard: shard \d failed: .*API key.*; mission paper-1$/),
      mission: 'paper-1',
    });
    expect((await lane.mission())?.problem).toMatch(
      /fleet resume paper-1 --retry .*--skip-gemini .*fleet park paper-1/,
    );
  });

  test('lets no further call be made, and leaves the last draft readable', async () => {
    const lane = await haltByShard();
    expect(written(lane)).toEqual(['tea']);
    const { drafts, text } = (await lane.paper()) ?? {};
    expect(drafts).toEqual([expect.objectContaining({ text: 'There is tea [finding_tea].' })]);
    expect(text).toBeNull();
  });

  test('tried again once it is mended, the paper goes on where it stood', async () => {
    const lane = await haltByShard();
    lane.simulator.gemini.configure({ acceptKeys: SHARD_KEYS });

    await lane.resume('retry');

    await lane.until('done');
    expect(await lane.halt.read()).toBeNull();
    expect(written(lane)).toEqual(['tea', 'rum', 'gin']);
    expect(lane.writer.calls.filter((call) => titleOf(call) === 'outline')).toHaveLength(1);
  });

  test('finished without Gemini, the paper says which sections were', async () => {
    const lane = await haltByShard();
    const asked = lane.simulator.gemini.requests().length;

    await lane.resume('skip-gemini');

    await lane.until('done');
    const text = (await lane.paper())?.text;
    expect(text).toContain('- Written without Gemini from findings read by id: sections 2, 3\n');
    expect(text).toMatch(/## On rum\n\nThere is rum \[.*finding_rum.*\]\.\n/);
    expect(lane.simulator.gemini.requests()).toHaveLength(asked);
  });

  test('parked, it lets everything else go on, and is finished later', async () => {
    const lane = await haltByShard();
    const parked = await lane.park();
    expect(parked).toMatchObject({ liftedHalt: true, said: expect.stringContaining('1 of 3 drafts') });

    await startHaiku(
      redis,
      lane.config,
      createScriptedModel(() => 'done'),
    );
    const task = await lane.fleet.tasks.add({ description: 'Something else' });
    expect(await task.result({ timeoutMs: 15_000 })).toBe('done');
    expect(await lane.mission()).toMatchObject({ state: 'parked' });
    expect(written(lane)).toEqual(['tea']);

    lane.simulator.gemini.configure({ acceptKeys: SHARD_KEYS });
    await lane.resume('retry');
    await lane.until('done');
    expect(written(lane)).toEqual(['tea', 'rum', 'gin']);
  });

  test('stands still after a resume without a choice, and halts nobody again', async () => {
    const lane = await haltByShard();
    await lane.halt.resume('tester');
    const { queues } = lane.fleet.inner;
    await redis.redis.hset(redis.keys.mission('paper-1'), 'state', 'running');
    await (await queues.missions.getJob('paper-1'))?.promote(); // as Bull Board does

    await lane.until('asks');
    expect(await lane.halt.read()).toBeNull();
    expect(written(lane)).toEqual(['tea']);
  });

  test('that met another query is found before the next section is asked', async () => {
    const lane = await openPaperLane(redis, {
      async section(request, call) {
        if (call === 1)
          await redis.redis.hset(redis.keys.shardState(4), 'closed_reason', 'refused', 'last_error', '403: no');
        return toSectionReply(request);
      },
    });
    await lane.write();
    await lane.until('asks');
    expect((await lane.halt.read())?.detail).toMatch(/^shard 4 failed: 403: no/);
  });
});

describe("a reply of the librarian's that is none", () => {
  test.each([
    ['[[no-citation]]', /query paper-1-s2: citations: shard \d: .*; the reply: .*rum/],
    ['[[cite-unknown]]', /query paper-1-s2: citations: shard \d: .*not shown/],
    ['[[cut]]', /query paper-1-s2: malformed: shard \d: .*cut off/],
    ['[[empty]]', /query paper-1-s2: malformed: shard \d: the reply is empty/],
  ])('halts the fleet with the reply attached: %s', async (marker, detail) => {
    const lane = await haltByReply(marker);
    expect(await lane.halt.read()).toMatchObject({
      reason: 'malformed',
      step: 'paper paper-1, section-2',
      detail: expect.stringMatching(detail),
      mission: 'paper-1',
    });
  });

  test('is asked for anew on retry, under another name', async () => {
    const lane = await haltByReply('[[no-citation]]');
    await lane.resume('retry');
    await waitUntil(async () => (await lane.paper())?.stop?.detail.includes('query paper-1-s2-2:'));
    await lane.until('asks');
    expect((await lane.paper())?.tries).toEqual({ 'section-2': 1 });
  });

  test('does not stop who finishes without Gemini', async () => {
    const lane = await haltByReply('[[no-citation]]');
    await lane.resume('skip-gemini');
    await lane.until('done');
    expect(written(lane)).toEqual(['tea', 'rum']);
  });
});

describe("a writer's reply that does not fit", () => {
  const bad = JSON.stringify({ text: 'There is a lot of rum.', citations: [] });

  test('is repaired once', async () => {
    const lane = await openPaperLane(redis, {
      section: (request, call) => (call === 2 ? bad : toSectionReply(request)),
    });
    await lane.write();
    await lane.until('done');
    const repair = lane.writer.calls.find((call) => call.messages.length > 1);
    expect(JSON.stringify(repair?.messages.at(-1))).toMatch(/<problem>.*cites no finding.*There is a lot of rum/);
  });

  test('also after its repair leaves the paper to its person, and the fleet at work', async () => {
    const lane = await openPaperLane(redis, {
      section: (request, call) => (call === 2 || call === 3 ? bad : toSectionReply(request)),
    });
    await lane.write();

    expect((await lane.until('asks'))?.problem).toMatch(/^section-2: malformed: .*the reply: .*lot of rum/);
    expect(await lane.halt.read()).toBeNull();
    await lane.resume('retry');

    await lane.until('done');
    expect(written(lane)).toEqual(['tea', 'rum', 'rum', 'rum', 'gin']);
  });

  test('in the outline is tried again on retry, paid anew', async () => {
    const lane = await openPaperLane(redis, {
      outlineReply: (_, call) => (call <= 2 ? '{"title": "x", "sections": []}' : JSON.stringify(OUTLINE)),
    });
    await lane.write();
    expect((await lane.until('asks'))?.problem).toMatch(/^outline: malformed/);
    await lane.resume('retry');
    await lane.until('done');
  });
});

describe('a choice', () => {
  test.each([['accept-shards', 'section-2 (shard)']] as const)(
    '%s is refused where the paper stands at something else',
    async (choice, where) => {
      const lane = await haltByShard();
      await expect(storePaperDecision(redis.db, 'paper-1', choice)).rejects.toThrow(where);
      expect((await lane.paper())?.stop).not.toBeNull();
    },
  );

  test('for a paper that does not exist names it', async () => {
    await expect(storePaperDecision(redis.db, 'nobody', 'retry')).rejects.toThrow(/paper nobody: no such paper/);
  });
});

test('a run that died between storing why it stands and halting halts when it starts again', async () => {
  const lane = await openPaperLane(redis);
  const at = new Date().toISOString();
  const stop = { step: 'section-2', reason: 'shard', detail: 'shard 3 failed: 403', at, halted: false } as const;
  await savePaper(redis.db, 'paper-1', { beganAt: at, stop });
  await lane.write();

  await lane.until('asks');
  expect(await lane.halt.read()).toMatchObject({ reason: 'shard', mission: 'paper-1' });
  expect(lane.writer.calls).toHaveLength(0);
});
