import { describe, expect, test } from 'vitest';
import { adoptAllExternal, adoptExternal } from '../../../src/findings/external/adopt.ts';
import { findOldWorkers, readOldWorkers } from '../../../src/findings/external/old-workers.ts';
import { listUnreadable } from '../../../src/findings/external/unreadable.ts';
import { createFindingStore } from '../../../src/findings/store.ts';
import { toSummary } from '../../../src/findings/stored.ts';
import { stringifyExact } from '../../../src/text/exact-json.ts';
import { watchExternalFindings } from '../../../src/findings/external/watch.ts';
import { listAnswersCiting, retractFinding } from '../../../src/findings/retract.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { sweepExternalQueries, enqueueExternalQuery } from '../../../src/librarian/queries/external-queries.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings, storeExternal } from '../../support/redis/store-findings.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const log = createLogger('test', 'silent');

async function watch({ patienceMs = 0 } = {}) {
  const stop = watchExternalFindings({ db: await redis.connectDb(), url: redis.url, log, patienceMs });
  let stopped: Promise<void> | null = null;
  const once = () => (stopped ??= stop());
  redis.cleanup(once);
  return once;
}

const liveCount = () => redis.redis.zcard(redis.keys.index);
const tokens = async () => Number(await redis.redis.get(redis.keys.contextActive));

describe('a finding that another program stored', () => {
  test('is adopted into index, counts and event stream, once, however often it is found', async () => {
    const { keys, redis: admin } = redis;
    const theirs = JSON.stringify({
      task: 'x',
      result: 'theirs',
      timestamp: '2025-11-21T10:15:00.123456',
      session: 's1',
    });
    await storeExternal(redis, { theirs, audit: { result: 'older' } });
    await admin.hset(keys.finding('hash'), { task_id: 't', content: 'a hash' });

    const adopting = await redis.connectDb();
    const adopted = await Promise.all([
      adoptAllExternal(adopting),
      adoptAllExternal(await redis.connectDb()),
      adoptExternal(adopting, ['theirs']),
    ]);
    await adoptAllExternal(adopting);

    expect(adopted.reduce((sum, count) => sum + count)).toBe(3);
    expect(await admin.zrange(keys.index, 0, '-1')).toEqual(['theirs', 'audit', 'hash']); // without a time: when first seen
    expect(await admin.zrange(keys.indexBySession('s1'), 0, '-1')).toEqual(['theirs']);
    expect(await admin.xlen(keys.events)).toBe(3);
    expect(await tokens()).toBe(
      [theirs, '{"result":"older"}', '{"task_id":"t","content":"a hash"}'].reduce(
        (sum, text) => sum + Math.ceil(text.length / 4),
        0,
      ),
    );
    expect(await admin.hget(keys.counters, 'adopted')).toBe('3');
  });

  test('without session and time has those at which it was first seen, for every reader; its own fields win', async () => {
    const { keys, redis: admin, db } = redis;
    await admin.hset(keys.session, { name: 'instance-9', explicit: '1', startedAt: '2025-01-01T00:00:00.000Z' });
    const bare = '{"result":{"big":12345678901234567890}}  ';
    await admin.mset(keys.finding('bare'), bare, keys.finding('empty'), '{}');
    await storeExternal(redis, {
      own: { result: 'theirs', session: 'theirs', timestamp: '2025-11-21T10:15:00' },
      archive_old: { answer: 'of an older librarian' },
    });
    await admin.hset(keys.finding('hash'), { task_id: 't', content: 'a hash' });
    const before = Date.now() - 60_000;

    await adoptAllExternal(await redis.connectDb());

    const store = createFindingStore(db);
    const found = await store.list({ session: 'instance-9' });
    expect(found.map(({ finding_id: id }) => id).toSorted()).toEqual(['bare', 'empty', 'hash']);
    for (const { at } of found) expect(Date.parse(at)).toBeGreaterThan(before);
    expect(stringifyExact((await store.get('bare'))?.result)).toBe('{"big":12345678901234567890}');
    expect(await admin.get(keys.finding('bare'))).toBe(bare);
    expect(await store.get('own')).toMatchObject({ session: 'theirs', at: expect.stringMatching(/^2025-11-21T/) });
    expect(await store.get('archive_old')).toMatchObject({ result: 'of an older librarian', session: 'instance-9' });
    expect((await store.list({ answers: true })).map(toSummary)).toEqual(['of an older librarian']);
  });

  test('that an older version adopted without a time is dated by the next search, and counted once', async () => {
    const { keys, redis: admin, db } = redis;
    await storeExternal(redis, { old: { result: 'of 1970' } });
    await admin.zadd(keys.index, 0, 'old');
    await admin.set(keys.contextActive, 5);

    const adopting = await redis.connectDb();
    expect([await adoptAllExternal(adopting), await adoptAllExternal(adopting)]).toEqual([0, 0]);

    expect(Number(await admin.zscore(keys.index, 'old'))).toBeGreaterThan(Date.now() - 60_000);
    expect(await tokens()).toBe(5);
    const [found] = await createFindingStore(db).list();
    expect(found?.session).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test('by a live worker of its program makes that worker known; the fleet’s own are left out', async () => {
    const { keys, redis: admin, db } = redis;
    await admin.set(keys.workerStatus('old_1'), '2025-11-21T10:15:00', 'EX', 60);
    await admin.set(keys.workerStatus('silent_2'), '2025-11-21T10:16:00', 'EX', 60);
    await admin.set(keys.workerStatus('haiku_own'), '2025-11-21T10:15:00', 'EX', 60);
    await admin.hset(keys.workers, 'haiku_own', '{}');
    await storeExternal(redis, { a: { worker_id: 'old_1' }, b: { worker_id: 'gone' }, c: { worker_id: 'haiku_own' } });
    const known = async () =>
      readOldWorkers(db, await admin.hgetall(keys.oldWorkers), await admin.hgetall(keys.workers));

    const adopting = await redis.connectDb();
    await adoptExternal(adopting, ['a', 'b', 'c']);
    expect((await known()).map(({ id }) => id)).toEqual(['old_1']);
    await findOldWorkers(adopting);
    expect((await known()).map(({ id }) => id)).toEqual(['old_1', 'silent_2']);
    await admin.del(keys.workerStatus('old_1'));
    expect(await known()).toEqual([{ id: 'silent_2', seenAt: '2025-11-21T10:16:00' }]);
  });

  test('that is unreadable is counted apart, and adopted once it is readable', async () => {
    const { keys, redis: admin } = redis;
    await storeExternal(redis, { broken: '{"result": ', list: '[1]' });
    const adopting = await redis.connectDb();

    await adoptAllExternal(adopting);
    expect(await admin.smembers(keys.unreadable)).toEqual(expect.arrayContaining(['broken', 'list']));
    expect(await listUnreadable(redis.db, 10)).toEqual({
      count: 2,
      found: ['broken', 'list'].map((id) => ({
        id,
        key: keys.finding(id),
        holds: 'text that is no JSON object',
        start: id === 'list' ? '[1]' : '{"result":',
      })),
    });
    expect(await liveCount()).toBe(0);

    await storeExternal(redis, { broken: { result: 'whole now' } });
    await adoptAllExternal(adopting);
    expect(await admin.smembers(keys.unreadable)).toEqual(['list']);
    expect(await liveCount()).toBe(1);
  });

  test('as an answer of an older librarian is no evidence', async () => {
    await storeExternal(redis, { archive_old: { result: 'an answer' } });
    await adoptAllExternal(await redis.connectDb());
    expect(await liveCount()).toBe(0);
    expect(await redis.redis.zrange(redis.keys.indexAnswers, 0, '-1')).toEqual(['archive_old']);
  });

  test('is found by the search at the start', async () => {
    await storeExternal(redis, { before: { result: 'stored while nobody ran' } });
    await watch();
    await waitUntil(async () => (await liveCount()) === 1);
  });

  test('is adopted at once when it is announced', async () => {
    const { keys, redis: admin } = redis;
    await watch();
    await waitUntil(async () => (await admin.pubsub('NUMSUB', keys.channelFindings))[1] === 1);

    await storeExternal(redis, { now: { result: 'news' } });
    await admin.publish(keys.channelFindings, 'now');

    await waitUntil(async () => (await liveCount()) === 1, { timeoutMs: 2_000 });
  });

  test('is watched for by one process at a time, and by the next when that one goes', async () => {
    const { keys, redis: admin } = redis;
    const listeners = async () => Number((await admin.pubsub('NUMSUB', keys.channelFindings))[1]);
    const stopFirst = await watch();
    await waitUntil(async () => (await listeners()) === 1);
    await watch();
    await stopFirst();
    await storeExternal(redis, { between: { result: 'nobody listened' } });

    await waitUntil(async () => (await liveCount()) === 1);
    expect(await listeners()).toBe(1);
  });

  test('is watched for by a worker only until a process with nothing better to do comes', async () => {
    const { keys, redis: admin } = redis;
    const holder = async () => (await admin.get(keys.lease('foreign-findings'))) ?? '';
    await watch({ patienceMs: 10 });
    await waitUntil(async () => (await holder()).startsWith('patient:'));

    await watch();

    await waitUntil(async () => /^[0-9a-f]+$/.test(await holder()));
    await waitUntil(async () => (await admin.pubsub('NUMSUB', keys.channelFindings))[1] === 1, { timeoutMs: 15_000 });
  });
});

describe('a retracted finding', () => {
  test('stays readable and marked, leaves the live ones, and names the answers that cited it', async () => {
    const { keys, redis: admin, db } = redis;
    await storeFindings(redis, { wrong: { result: 'The moon is cheese' }, right: { result: 'It is rock' } });
    const before = await tokens();
    const answer = (citations: string[]) => JSON.stringify({ task: 'q', result: 'a', citations });
    await admin.mset(keys.finding('archive_a'), answer(['wrong']), keys.finding('archive_b'), answer(['right']));
    await admin.zadd(keys.indexAnswers, 1, 'archive_a', 2, 'archive_b');
    await admin.set(
      keys.finding('finding_m'),
      JSON.stringify({ task: 'goal', result: 'm', citations: ['right', 'wrong'] }),
    );
    await admin.zadd(keys.missions, 1, 'm', 2, 'runs', 3, 'damaged');
    await admin.hset(keys.mission('m'), { state: 'done', finding: 'finding_m' });
    await admin.hset(keys.mission('runs'), { state: 'running' });
    await admin.set(keys.mission('damaged'), 'text');
    const connection = await redis.connectDb();

    const done = await retractFinding(connection, { id: 'wrong', why: 'no cheese', by: 'ann' });

    expect(done).toMatchObject({ id: 'wrong', why: 'no cheese', by: 'ann' });
    expect(JSON.parse((await admin.get(keys.finding('wrong'))) ?? '')).toMatchObject({
      result: 'The moon is cheese',
      status: 'retracted',
      retracted: { why: 'no cheese', by: 'ann' },
    });
    expect(await admin.zrange(keys.index, 0, '-1')).toEqual(['right']);
    expect(await tokens()).toBeLessThan(before);
    const citing = (await listAnswersCiting(db, 'wrong')).map((finding) => finding.finding_id);
    expect(citing.toSorted()).toEqual(['archive_a', 'finding_m']);
    await expect(retractFinding(connection, { id: 'wrong', why: 'again', by: 'ann' })).rejects.toThrow(/already/);
    await expect(retractFinding(connection, { id: 'nothing', why: 'x', by: 'ann' })).rejects.toThrow(/there is none/);
  });

  test('is not adopted back', async () => {
    await storeExternal(redis, { theirs: { result: 'wrong' } });
    const adopting = await redis.connectDb();
    await adoptAllExternal(adopting);
    await retractFinding(adopting, { id: 'theirs', why: 'wrong', by: 'ann' });

    await storeExternal(redis, { theirs: { result: 'wrong once more' } });
    await adoptAllExternal(adopting);

    expect(await liveCount()).toBe(0);
  });
});

describe('a question asked through a public key', () => {
  const question = JSON.stringify({
    question: 'Tea?',
    requester: 'old.py',
    session: 'x',
    timestamp: '2025-11-21T10:15:00',
  });
  const response = async (id: string) => {
    const text = await redis.redis.get(redis.keys.response(id));
    return text === null ? null : (JSON.parse(text) as unknown);
  };

  async function openLibrary() {
    await storeFindings(redis, { finding_tea: { result: '40 crates of tea' } });
    const archive = createScriptedArchive(() => ({ answer: '40 [finding_tea]', citations: ['finding_tea'] }));
    return { fleet: await useFleet(redis), archive };
  }

  test('is answered in its response key and channel when it was announced', async () => {
    const { fleet, archive } = await openLibrary();
    const { keys, redis: admin } = redis;
    await fleet.startLibrarian(archive);
    const listener = await redis.connect();
    const heard: string[] = [];
    listener.on('message', (_channel, id: string) => heard.push(id));
    await listener.subscribe(keys.channelResponses);

    await admin.set(keys.query('7'), question);
    await admin.publish(keys.channelQueries, '7');

    expect(await waitUntil(() => response('7'))).toEqual({
      query_id: '7',
      finding_id: 'archive_7',
      answer: '40 [finding_tea]',
      sources: ['finding_tea'],
      tokens_used: expect.any(Number),
      context_size: 1,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{15}$/),
      worker_id: expect.stringMatching(/^librarian_/),
    });
    await waitUntil(() => heard.length > 0);
    expect(heard).toEqual(['7']);
  });

  test('while no librarian ran is found when one starts, and answered once by all of them together', async () => {
    const { fleet, archive } = await openLibrary();
    const { keys, redis: admin, db } = redis;
    await admin.set(keys.query('lost'), question);
    await Promise.all([fleet.startLibrarian(archive), fleet.startLibrarian(archive)]);

    await waitUntil(() => response('lost'));
    const { queue, currentSession } = { queue: fleet.inner.queues.archive, currentSession: fleet.inner.currentSession };
    await sweepExternalQueries({ db, queue, currentSession, log });
    await admin.del(keys.response('lost'));

    expect(await enqueueExternalQuery({ db, queue, currentSession, log }, 'lost')).toBe(false);
    expect(archive.calls).toHaveLength(1);
  });

  test.each([
    ['a text of 1 MB', 'bad', 'x'.repeat(1_000_000), /^invalid-job: .*20000/],
    ['no question', 'bad', '{"requester":"x"}', /^invalid-job: data: question/],
    ['a question of 1 MB', 'bad', JSON.stringify({ question: 'x'.repeat(1_000_000) }), /^invalid-job: .*20000/],
    ['a wrong filter', 'bad', '{"question":"?","filter":{"sesion":"x"}}', /^invalid-job: .*sesion/],
  ])('with %s fails as a job, where a person sees it, and its requester is told', async (_, id, text, reason) => {
    const { fleet, archive } = await openLibrary();
    await redis.redis.set(redis.keys.query(id), text);
    await fleet.startLibrarian(archive);

    const [job] =
      (await waitUntil(async () => {
        const jobs = await fleet.inner.queues.archive.getFailed();
        return jobs.length > 0 ? jobs : null;
      })) ?? [];
    expect(job?.failedReason).toMatch(reason);
    expect(JSON.stringify(job?.data).length).toBeLessThan(25_000);
    expect(archive.calls).toEqual([]);
    expect(await response(id)).toMatchObject({
      query_id: id,
      finding_id: null,
      answer: expect.stringMatching(/^NOT ANSWERED: /),
      error: { reason: 'invalid-job', text: expect.any(String) },
      sources: [],
    });
  });

  test('in plain words is answered', async () => {
    const { fleet, archive } = await openLibrary();
    await redis.redis.set(redis.keys.query('plain'), 'How much tea?');
    await fleet.startLibrarian(archive);
    expect(await waitUntil(() => response('plain'))).toMatchObject({ answer: '40 [finding_tea]' });
  });

  test('that failed without a run is told to have failed by the next sweep; the answer after a retry replaces it', async () => {
    const { fleet, archive } = await openLibrary();
    const { db, keys } = redis;
    await redis.redis.set(keys.query('given-up'), question);
    const parts = { db, queue: fleet.inner.queues.archive, currentSession: fleet.inner.currentSession, log };
    await sweepExternalQueries(parts);
    await redis.redis.lrem(keys.queueKey('archive', 'wait'), 0, 'archive_given-up');
    await redis.redis.zadd(keys.queueKey('archive', 'failed'), Date.now(), 'archive_given-up');
    const job = keys.queueKey('archive', 'archive_given-up');
    await redis.redis.hset(job, 'failedReason', 'job stalled more than allowable limit', 'finishedOn', Date.now());
    await sweepExternalQueries(parts);
    expect(await response('given-up')).toMatchObject({
      error: { reason: 'other', text: expect.stringContaining('stalled') },
    });

    await fleet.startLibrarian(archive);
    await (await parts.queue.getJob('archive_given-up'))?.retry();
    await waitUntil(async () => JSON.stringify(await response('given-up')).includes('40 [finding_tea]'));
  });

  test('whose id is no job id is answered all the same', async () => {
    const { fleet, archive } = await openLibrary();
    await redis.redis.set(redis.keys.query('a b:c/d'), question);
    await fleet.startLibrarian(archive);
    expect(await waitUntil(() => response('a b:c/d'))).toMatchObject({ finding_id: 'archive_a b:c/d' });
  });
});
