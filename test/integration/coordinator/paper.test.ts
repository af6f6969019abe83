import { describe, expect, test } from 'vitest';
import { savePaper } from '../../../src/coordinator/paper/record.ts';
import { titleOf } from '../../support/models/mission-model.ts';
import { usePaperFleet, SHARD_KEYS } from '../../support/fleet/paper-fleet.ts';
import { OUTLINE, STORES, topicOf } from '../../support/models/paper-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const topics = (calls: Parameters<typeof topicOf>[0][]) =>
  calls.filter((call) => titleOf(call) === 'section').map(topicOf);

describe('a paper', () => {
  test('is written section by section, each from its own answer, and stored with its sources', async () => {
    const fleet = await usePaperFleet(redis);
    await fleet.write();
    const mission = await fleet.untilPaper('done');

    const paper = await fleet.paper();
    expect(paper?.text).toMatch(/^# What the house holds\n\n- Date: .*\n- Session: s9\n- Mission: paper-1\n/);
    expect(paper?.text).toContain('- Shards: S1, S2, S3, S4, S5\n');
    expect(paper?.text).toContain('## On rum\n\nThere is rum [finding_rum].\n');
    expect(paper?.text).toContain('- [finding_tea] 2026-11-01 10:00, s1: The store holds 40 crates of tea.\n');
    expect(paper?.text).not.toContain('without Gemini');
    const finding = await fleet.findings.get(mission?.finding ?? '');
    expect(finding).toMatchObject({
      kind: 'paper',
      result: paper?.text,
      citations: ['finding_tea', 'finding_rum', 'finding_gin'],
      mission_id: 'paper-1',
      session: 's9',
    });
    expect(topics(fleet.writer.calls)).toEqual(['tea', 'rum', 'gin']);
    expect(mission).toMatchObject({ counts: { total: 3, done: 3 }, problem: '' });
  });

  test('tests every shard first and stores how each did as a finding', async () => {
    const fleet = await usePaperFleet(redis);
    await fleet.write();
    await fleet.untilPaper('done');

    const report = (await fleet.paper())?.shards;
    expect(report?.shards.map(({ shard, ok }) => [shard, ok])).toEqual([1, 2, 3, 4, 5].map((shard) => [shard, true]));
    expect(report?.shards.every(({ left }) => left < 1_500)).toBe(true);
    const finding = await fleet.findings.get(report?.findingId ?? '');
    expect(finding).toMatchObject({
      kind: 'shard-test',
      mission_id: 'paper-1',
      result: { summary: expect.stringContaining('5 of 5 shards work'), redis_round_trip_ms: expect.any(Number) },
    });
    expect((await fleet.paper())?.text).not.toContain(report?.findingId);
  });

  test('lets each question be paid by the mission and never be sent to another vendor', async () => {
    const fleet = await usePaperFleet(redis);
    await fleet.write();
    await fleet.untilPaper('done');
    const jobs = await fleet.inner.queues.archive.getJobs(['completed']);
    expect(jobs.map(({ data }) => data as object)).toEqual(
      [1, 2, 3].map(() => expect.objectContaining({ mission_id: 'paper-1', allow_fallback: false, paper: {} })),
    );
    const { rows } = await fleet.costs({ by: 'mission' });
    expect(rows).toEqual([expect.objectContaining({ name: 'paper-1', calls: 5 + 3 + 4 })]); // shards, questions, outline and sections
  });

  test('says where the archive holds nothing, and pays nobody to say so', async () => {
    const sections = [
      ...OUTLINE.sections.slice(0, 1),
      { id: 'opera', title: 'Opera', brief: 'Sing', question: 'Who sang Tosca?' },
    ];
    const fleet = await usePaperFleet(redis, { outline: { title: 'Stores', sections } });
    await fleet.write();
    await fleet.untilPaper('done');
    expect((await fleet.paper())?.text).toContain('## Opera\n\nThe archive holds nothing on this.\n');
    expect(topics(fleet.writer.calls)).toEqual(['tea']);
  });

  test('is written from one session alone where its person says so', async () => {
    const fleet = await usePaperFleet(redis, { outline: { ...OUTLINE, sections: OUTLINE.sections.slice(0, 2) } });
    await fleet.write('paper-1', { session: 's2' });
    await fleet.untilPaper('done');
    const finding = await fleet.findings.get((await fleet.mission())?.finding ?? '');
    expect(finding?.citations.toSorted()).toEqual(['finding_gin', 'finding_rum']); // the tea is of another session
  });

  test.each([
    ['an empty archive', {}, {}, /no-evidence: the archive holds no finding/],
    ['a session without findings', STORES, { session: 'other' }, /no-evidence: session other holds no finding/],
  ])('is refused for %s before anything is paid', async (_, findings, paper, problem) => {
    const fleet = await usePaperFleet(redis, { findings });
    await fleet.write('paper-1', paper);
    expect((await fleet.untilPaper('failed'))?.problem).toMatch(problem);
    expect(fleet.writer.calls).toHaveLength(0);
    expect(fleet.simulator.gemini.requests()).toHaveLength(0);
  });
});

test('a paper whose run died between its text and its finding is recorded with what it has cost', async () => {
  const fleet = await usePaperFleet(redis);
  const { redis: store, keys, db } = redis;
  const usage = { input: 1_000, cache_write: 0, cache_read: 0, output: 500 };
  await store.hset(keys.turns('paper-1'), 'totals', JSON.stringify({ nanoUsd: 7_000_000, usage, calls: 4 }));
  await savePaper(db, 'paper-1', { beganAt: new Date().toISOString(), outline: OUTLINE, text: '# Stores\n' });
  await fleet.write();

  const mission = await fleet.untilPaper('done');

  const finding = await fleet.findings.get(mission?.finding ?? '');
  expect(finding).toMatchObject({ result: '# Stores\n', cost: 0.007, tokens_used: 1_500 });
  expect(fleet.writer.calls).toHaveLength(0);
});

describe('a shard that is refused before a paper', () => {
  test('one of five: the person is asked, and may go on without it', async () => {
    const fleet = await usePaperFleet(redis);
    fleet.simulator.gemini.configure({ acceptKeys: SHARD_KEYS.filter((_, i) => i !== 2) });
    await fleet.write();

    expect((await fleet.untilPaper('asks'))?.problem).toMatch(/4 of 5 shards work; S3: .*API key.*--accept-shards/);
    expect(fleet.writer.calls).toHaveLength(0);
    expect(await fleet.halt.read()).toBeNull();
    await fleet.resumePaper('accept-shards');

    await fleet.untilPaper('done');
    expect((await fleet.paper())?.text).toMatch(/- Shards: S1, S2, S4, S5 \(without S3: .*API key/);
  });

  test('one of five: a person who said so at the start is not asked', async () => {
    const fleet = await usePaperFleet(redis);
    fleet.simulator.gemini.configure({ acceptKeys: SHARD_KEYS.slice(1) });
    await fleet.write('paper-1', { accept_shards: true });
    await fleet.untilPaper('done');
  });

  test('two of five: going on is refused, also for who said so at the start', async () => {
    const fleet = await usePaperFleet(redis);
    fleet.simulator.gemini.configure({ acceptKeys: SHARD_KEYS.slice(2) });
    await fleet.write('paper-1', { accept_shards: true });

    expect((await fleet.untilPaper('asks'))?.problem).toMatch(/3 of 5 shards work; .*Fewer than 80 %/);
    await expect(fleet.resumePaper('accept-shards')).rejects.toThrow(
      /fewer than 80 % of the shards work, which is refused/,
    );
    expect(fleet.writer.calls).toHaveLength(0);
  });

  test('all are tested again once they are mended, and the paper is written', async () => {
    const fleet = await usePaperFleet(redis);
    fleet.simulator.gemini.configure({ acceptKeys: SHARD_KEYS.slice(2) });
    await fleet.write();
    await fleet.untilPaper('asks');
    fleet.simulator.gemini.configure({ acceptKeys: SHARD_KEYS });

    await fleet.resumePaper('retry');

    await fleet.untilPaper('done');
    expect((await fleet.paper())?.shards?.shards.every(({ ok }) => ok)).toBe(true);
  });

  test('a paper can be written without any shard, and its header says so', async () => {
    const fleet = await usePaperFleet(redis);
    fleet.simulator.gemini.configure({ acceptKeys: ['none'] });
    await fleet.write();
    await fleet.untilPaper('asks');

    await fleet.resumePaper('skip-gemini');

    await fleet.untilPaper('done');
    const text = (await fleet.paper())?.text;
    expect(text).toContain('- Written without Gemini from findings read by id\n');
    expect(text).not.toContain('- Shards:');
    expect(await fleet.inner.queues.archive.getJobCounts()).toMatchObject({ completed: 0, failed: 0 });
  });
});
