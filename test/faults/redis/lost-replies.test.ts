import { expect, test } from 'vitest';
import { startSimulator } from '../../../simulator/simulator.ts';
import { LIVE_LIMIT } from '../../../src/coordinator/compact/types.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import { createFindingStore } from '../../../src/findings/store.ts';
import { assertBooksAgree } from '../../support/books/books-agree.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { startCuttingProxy } from '../../support/redis/cutting-proxy.ts';
import { storeSessions } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitForProgress } from '../../support/wait.ts';

/** The long form: `FLEET_TEST_TASKS=500`. */
const TASKS = Number(process.env['FLEET_TEST_TASKS'] ?? 30);
const QUESTIONS = Math.ceil(TASKS / 10);
/** Of an earlier session: so many that the mission begins with a compaction. */
const OLD = LIVE_LIMIT + 20;
/** What a worker logs about a step that it did twice, or that failed. */
const COMPLAINT = /Missing lock|is not in the|at .*\.js:|"level":"error"/;

const redis = useRedis();

test(
  'every effect in all queues happens once where one of 20 answers of Redis is lost',
  { timeout: 180_000 + 10_000 * TASKS },
  async () => {
    const { keys, db, redis: admin } = redis;
    await storeSessions(redis, { old: OLD, notes: 10 });
    const proxy = await startCuttingProxy(redis);
    const simulator = await startSimulator({
      anthropic: { latencyMs: 20, logLimit: 100_000, requestsPerMinute: {} },
      gemini: { latencyMs: 20, limits: { all: { rpm: 10_000, tpm: 100_000_000, rpd: 10_000 } } },
    });
    redis.cleanup(() => simulator.close());
    const env = { ANTHROPIC_BASE_URL: simulator.url, GEMINI_BASE_URL: simulator.url };
    const fleet = await useFleet(redis, { env: { REDIS_URL: proxy.url, ...env } });
    const parts = { provider: simulator.url, redisUrl: proxy.url, slots: 8, env };
    const workers = await Promise.all([
      startWorkerProcess(redis, { id: 'w1', ...parts }),
      startWorkerProcess(redis, { id: 'w2', ...parts }),
      startWorkerProcess(redis, { id: 'l1', kind: 'librarian', ...parts }),
      startWorkerProcess(redis, { id: 'c1', kind: 'coordinator', ...parts }),
    ]);

    const tasks = Array.from({ length: TASKS }, (_, i) => ({ description: `Say ${i} [[turns:3]]` }));
    const { ids } = await fleet.tasks.addMany(tasks, { batch: 'lost' });
    const mission = await fleet.missions.add({ goal: 'Say that all is done. [[tasks:5]]', budget_usd: 50 });
    const questions = [];
    for (let i = 0; i < QUESTIONS; i += 1) {
      questions.push(await fleet.ask(`What did notes learn, part ${i}?`, { filter: { session: 'notes' } }));
    }

    const completed = (queue: string): Promise<number> => admin.zcard(keys.queueKey(queue, 'completed'));
    const beganAt = performance.now();
    await waitForProgress({
      done: async () => {
        const [found, answered, missions] = await Promise.all([
          admin.zcard(keys.indexByBatch('lost')),
          completed('archive'),
          completed('missions'),
        ]);
        return found + Math.min(answered, QUESTIONS) + missions;
      },
      all: TASKS + QUESTIONS + 1,
      what: 'tasks, questions and missions that ended',
      describe: async () => {
        const counts = Object.values(fleet.inner.queues).map(async (queue) => [queue.name, await queue.getJobCounts()]);
        return JSON.stringify(await Promise.all(counts));
      },
    });
    const tookS = (performance.now() - beganAt) / 1_000;
    const answers = await Promise.all(questions.map((question) => question.finding()));
    const report = await mission.finding();
    proxy.rest();
    expect(proxy.cuts()).toBeGreaterThan(TASKS);
    console.log(`${proxy.cuts()} answers were lost; all ended after ${Math.round(tookS)} s`);

    // Each of the tasks, questions and missions has its effect, once.
    expect(new Set(ids).size).toBe(TASKS);
    expect(new Set(answers.map((finding) => finding.finding_id)).size).toBe(QUESTIONS);
    expect(report.citations.length).toBeGreaterThan(0);
    const gemini = simulator.gemini.served();
    expect(gemini.calls).toBe(await admin.zcard(keys.indexAnswers)); // the mission asks, too
    const calls = simulator.anthropic.requests();
    expect(calls.filter(({ user }) => ids.includes(user ?? ''))).toHaveLength(3 * TASKS);
    expect(await admin.hlen(keys.uncertain)).toBe(0);
    const { calls: claude, billNanoUsd } = simulator.anthropic.served();
    await assertBooksAgree(db, { bill: { calls: claude + gemini.calls, nanoUsd: billNanoUsd } });

    // The compaction is whole: the archive is within its limit, and every finding can still be read.
    expect(await admin.hlen(keys.compactionPieces)).toBe(0);
    const condensed = await admin.zrange(keys.indexCondensed, 0, '-1');
    expect((await admin.zcard(keys.index)) - TASKS).toBeLessThan(LIVE_LIMIT);
    expect(condensed.length).toBeGreaterThan(OLD - LIVE_LIMIT);
    const store = createFindingStore(db);
    const originals = await Promise.all(condensed.map((id) => store.get(id)));
    expect(originals.filter((finding) => !JSON.stringify(finding?.result).startsWith('"What old learned'))).toEqual([]);
    expect(await store.get(toFindingId(ids[0] ?? ''))).not.toBeNull();

    // Most jobs that were handed out in a lost answer are back before their locks expire, which a death looks like.
    expect(Number(await admin.hget(keys.counters, 'recoveries'))).toBeLessThan(TASKS / 5);
    expect(workers.map((worker) => worker.output()).join('')).not.toMatch(COMPLAINT);
  },
);
