import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ArchiveInput } from '../../../queues/archive.ts';
import { AccountRefusedError, ProviderUnavailableError, QuotaError, TaskFailedError } from '../../../src/errors.ts';
import { addQuery } from '../../../src/librarian/queries/enqueue.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { createScriptedArchive, type ArchiveCall } from '../../support/models/scripted-archive.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

const TEA = { task: 'How much tea?', result: 'There are 40 crates of tea' };
const GOOD = { answer: '40 crates [finding_tea].', citations: ['finding_tea'] };

/** A librarian with two shards, and one paper's question in the queue. */
async function askForPaper(answer: Parameters<typeof createScriptedArchive>[0], paper: ArchiveInput['paper'] = {}) {
  await storeFindings(redis, { finding_tea: TEA });
  const archive = createScriptedArchive(answer);
  const fleet = await useFleet(redis, {
    env: {
      GEMINI_API_KEY_SHARD1: 'not-a-real-key-1',
      GEMINI_API_KEY_SHARD2: 'not-a-real-key-2',
      GEMINI_TIER: 'free',
    },
    librarian: archive.withFallback(),
  });
  await addQuery(
    { db: fleet.inner.db, queue: fleet.inner.queues.archive },
    { question: 'How much tea?', allow_fallback: false, paper },
    { queryId: 'q1', session: 's1' },
  );
  return { archive, fleet };
}

const failedReason = (fleet: OpenFleet) =>
  waitUntil(async () => {
    const job = await fleet.inner.queues.archive.getJob('archive_q1');
    return job !== undefined && (await job.isFailed()) ? job.failedReason : null;
  });

const answer = () => waitUntil(async () => redis.redis.get(redis.keys.finding('archive_q1')));

const shardsAsked = (calls: readonly ArchiveCall[]) => calls.map((call) => call.by);

describe("a paper's question", () => {
  test('fails with the shard named when its key is refused: no other is asked', async () => {
    const { archive, fleet } = await askForPaper(() => {
      throw billed(new AccountRefusedError('403: this key is not allowed'));
    });

    expect(await failedReason(fleet)).toMatch(/^shard: shard [12] failed: 403: this key is not allowed$/);
    expect(archive.calls).toHaveLength(1);
  });

  test('goes on to the next shard where a minute is used up: that is routing', async () => {
    const { archive } = await askForPaper((_, count) => {
      if (count > 1) return GOOD;
      const quota = { scope: 'minute' as const, retryAfterMs: 38_000, statedLimit: null };
      throw billed(new QuotaError('gemini-3.5-flash-lite', quota, '429: minute used up'));
    });

    await answer();

    expect(new Set(shardsAsked(archive.calls)).size).toBe(2);
  });

  test('never asks a shard that its person goes on without', async () => {
    const { archive, fleet } = await askForPaper(() => GOOD, { exclude: [1] });
    await answer();
    for (const queryId of ['q2', 'q3', 'q4']) {
      await addQuery(
        { db: fleet.inner.db, queue: fleet.inner.queues.archive },
        { question: 'Tea?', paper: { exclude: [1] } },
        { queryId, session: 's1' },
      );
    }

    await waitUntil(() => archive.calls.length === 4);
    expect(shardsAsked(archive.calls)).toEqual([2, 2, 2, 2]);
  });

  test('asks a shard that does not answer again, that one alone, and fails after three times', async () => {
    const { archive, fleet } = await askForPaper(() => {
      throw billed(new ProviderUnavailableError('gemini-3.5-flash-lite', false, '503: overloaded'));
    });
    for (const times of [1, 2]) {
      await waitUntil(() => archive.calls.length === times);
      await endWait(fleet);
    }

    expect(await failedReason(fleet)).toMatch(/^shard: shard [12] failed: 503: overloaded \(asked 3 times\)$/);
    expect(new Set(shardsAsked(archive.calls)).size).toBe(1);
  });

  test('is answered where the shard answers again after its wait', async () => {
    const { archive, fleet } = await askForPaper((_, count) => {
      if (count > 1) return GOOD;
      throw billed(new ProviderUnavailableError('gemini-3.5-flash-lite', false, '503: overloaded'));
    });
    await waitUntil(() => archive.calls.length === 1);
    await endWait(fleet);

    await answer();

    const [first, second] = shardsAsked(archive.calls);
    expect(second).toBe(first);
  });

  test('names the shard whose reply is none, and ends with the reply', async () => {
    const { fleet } = await askForPaper(() => ({ text: 'I would rather not.' }));
    expect(await failedReason(fleet)).toMatch(/^malformed: shard [12]: .*the reply: I would rather not\.$/);
  });

  test('names the shard that sent something else than a reply', async () => {
    const { fleet } = await askForPaper(() => {
      throw Object.assign(new TaskFailedError('malformed', '200 with a page'), { billed: 'no' });
    });
    expect(await failedReason(fleet)).toMatch(/^malformed: shard [12]: 200 with a page$/);
  });

  test('names shard and reply also where another librarian finds the reply stored', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const fleet = await useFleet(redis);
    const usage = { input: 1, cache_write: 0, cache_read: 0, output: 1 };
    const reply = { text: 'No.', finish: 'stop', finishWords: 'STOP', usage, model: 'gemini-3.5-flash-lite' };
    const basis = { findings: 1, tokens: 1, leftOut: null, shard: 4, fallback: false };
    await redis.redis.hset(redis.keys.turns('archive_q1'), {
      epoch: '0',
      digest: createHash('sha256')
        .update(JSON.stringify(['How much tea?', {}]))
        .digest('hex')
        .slice(0, 16),
      'r:0:0': JSON.stringify({ reply, basis, byFallback: false }),
      totals: JSON.stringify({ nanoUsd: 0, usage, calls: 1 }),
    });
    const archive = createScriptedArchive(() => GOOD);
    await fleet.startLibrarian(archive);

    await addQuery(
      { db: fleet.inner.db, queue: fleet.inner.queues.archive },
      { question: 'How much tea?', paper: {} },
      { queryId: 'q1', session: 's1' },
    );

    expect(await failedReason(fleet)).toMatch(/^malformed: shard 4: .*; the reply: No\.$/);
    expect(archive.calls).toHaveLength(0);
  });

  test('never goes to another vendor', async () => {
    const { archive, fleet } = await askForPaper(() => GOOD, { exclude: [1, 2] });
    expect(await failedReason(fleet)).toMatch(/^shard: no shard is left/);
    expect(archive.calls).toHaveLength(0);
  });
});

/** Ends the waits of the query and of its shard. */
async function endWait(fleet: OpenFleet): Promise<void> {
  const job = await waitUntil(async () => {
    const found = await fleet.inner.queues.archive.getJob('archive_q1');
    return found !== undefined && (await found.isDelayed()) ? found : null;
  });
  for (const shard of [1, 2]) await redis.redis.hdel(redis.keys.shardState(shard), 'closed_until', 'closed_reason');
  await job?.promote();
}

function billed<Thrown extends QuotaError | AccountRefusedError | ProviderUnavailableError>(error: Thrown): Thrown {
  error.billed = 'no';
  return error;
}
