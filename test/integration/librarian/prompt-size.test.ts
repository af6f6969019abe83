import { describe, expect, test } from 'vitest';
import { PromptTooLongError, QuotaError, TaskFailedError } from '../../../src/errors.ts';
import { addQuery } from '../../../src/librarian/queries/enqueue.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive, idsShown, type ScriptedArchive } from '../../support/models/scripted-archive.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** About 1 MB of findings. */
const MANY = Object.fromEntries(
  Array.from({ length: 20 }, (_, i) => [
    `finding_${i}`,
    { task: 'weather', result: `day ${i}: ${'fine '.repeat(10_000)}`, at: new Date(i * 1_000).toISOString() },
  ]),
);
const FEW = Object.fromEntries(Object.entries(MANY).slice(0, 2));

async function openArchive(archive: ScriptedArchive): Promise<TestFleet> {
  return useFleet(redis, { librarian: archive });
}

async function answer(fleet: TestFleet, queryId: string): Promise<Record<string, unknown>> {
  const parts = { db: fleet.inner.db, queue: fleet.inner.queues.archive };
  await addQuery(parts, { question: 'How was the weather?' }, { queryId, session: 'today' });
  const text = await waitUntil(() => redis.redis.get(redis.keys.finding(`archive_${queryId}`)));
  return JSON.parse(text ?? '') as Record<string, unknown>;
}

async function logOf(fleet: TestFleet, queryId: string): Promise<string> {
  return (await fleet.inner.queues.archive.getJobLogs(`archive_${queryId}`)).logs.join('\n');
}

const bytesOf = ({ system, prompt }: { system: string; prompt: string }): number => Buffer.byteLength(system + prompt);
const cite = (call: { prompt: string }): { answer: string } => ({ answer: `Fine. [${idsShown(call)[0]}]` });

function tooLong(tokens: number, limit: number): PromptTooLongError {
  const error = new PromptTooLongError(tokens, limit, `400: the input token count (${tokens}) exceeds ${limit}`);
  error.billed = 'no';
  return error;
}

function usedUp(): QuotaError {
  const error = new QuotaError('gemini', { scope: 'day', retryAfterMs: 38_000, statedLimit: null }, '429: used up');
  error.billed = 'no';
  return error;
}

describe('a prompt above the model’s window', () => {
  test('is refused once, becomes smaller, and the question is answered', async () => {
    await storeFindings(redis, MANY);
    const archive = createScriptedArchive((call) => {
      const tokens = Math.ceil(bytesOf(call) / 2);
      if (tokens > 150_000) throw tooLong(tokens, 150_000);
      return cite(call);
    });
    const fleet = await openArchive(archive);

    expect(await answer(fleet, 'q1')).toMatchObject({ context: { leftOut: { findings: expect.any(Number) } } });
    expect(archive.calls).toHaveLength(2);
    expect(await logOf(fleet, 'q1')).toContain('the provider refuses the size: at most 135,000 tokens are shown');
    expect(await redis.redis.hgetall(redis.keys.reservations)).toEqual({});
  });

  test('teaches the estimate, so that the next question fits at once', async () => {
    await storeFindings(redis, MANY);
    const archive = createScriptedArchive((call) => {
      const tokens = Math.ceil(bytesOf(call) / 2);
      if (tokens > 226_000) throw tooLong(tokens, 226_000);
      return {
        text: JSON.stringify({ ...cite(call), citations: [] }),
        usage: { input: tokens, cache_write: 0, cache_read: 0, output: 10 },
      };
    });
    const fleet = await openArchive(archive);
    await answer(fleet, 'q1');
    const before = archive.calls.length;

    await answer(fleet, 'q2');

    expect(before).toBe(2);
    expect(archive.calls).toHaveLength(3);
  });

  test('becomes half as long where the provider names no numbers', async () => {
    await storeFindings(redis, MANY);
    const archive = createScriptedArchive((call, count) => {
      if (count === 1) throw new TaskFailedError('too-long', '400: request payload size exceeds the limit');
      return cite(call);
    });
    await answer(await openArchive(archive), 'q1');
    const [first = { system: '', prompt: '' }, second = first] = archive.calls;
    expect(bytesOf(second)).toBeLessThan(0.6 * bytesOf(first));
  });

  test('becomes smaller for the fallback too', async () => {
    await storeFindings(redis, MANY);
    const archive = createScriptedArchive((call, count) => {
      if (call.by !== 'fallback') throw usedUp();
      if (count === 6) throw new TaskFailedError('too-long', '400: the prompt is too long');
      return cite(call);
    });
    const fleet = await openArchive(archive.withFallback());
    expect(await answer(fleet, 'q1')).toMatchObject({ context: { fallback: true } });
    const [first = { system: '', prompt: '' }, second = first] = archive.calls.slice(-2);
    expect(bytesOf(second)).toBeLessThan(0.6 * bytesOf(first));
  });
});

describe('the provider’s count', () => {
  const countBytes = (share: number) => (prompt: { system: string; prompt: string }) =>
    Math.ceil(bytesOf(prompt) * share);

  test('is asked for once, for the first long prompt', async () => {
    await storeFindings(redis, MANY);
    const archive = createScriptedArchive(cite, countBytes(0.36));
    const fleet = await openArchive(archive);
    await answer(fleet, 'q1');
    await answer(fleet, 'q2');
    expect(archive.counted).toHaveLength(1);
    expect(archive.calls).toHaveLength(2);
  });

  test('is not asked for where the prompt is short', async () => {
    await storeFindings(redis, FEW);
    const archive = createScriptedArchive(cite, countBytes(0.36));
    await answer(await openArchive(archive), 'q1');
    expect(archive.counted).toHaveLength(0);
  });

  test('makes a prompt smaller before it is sent, and is asked for again then', async () => {
    await storeFindings(redis, MANY);
    const archive = createScriptedArchive(cite, countBytes(0.5));
    const fleet = await openArchive(archive);
    await answer(fleet, 'q1');
    expect(archive.counted).toHaveLength(2);
    expect(archive.calls).toHaveLength(1);
    const [sent = { system: '', prompt: '' }] = archive.calls;
    expect(bytesOf(sent) * 0.5).toBeLessThan(225_000);
    expect(await logOf(fleet, 'q1')).toMatch(/the provider counts 3?\d\d,\d+ tokens: at most 202,500 tokens are shown/);
  });

  test('shows more where the first guess left findings out', async () => {
    await storeFindings(redis, MANY);
    const archive = createScriptedArchive(cite, countBytes(0.25));
    await answer(await openArchive(archive), 'q1');
    expect(archive.counted).toHaveLength(1);
    const [sent = { system: '', prompt: '' }] = archive.calls;
    expect(bytesOf(sent) * 0.25).toBeGreaterThan(190_000);
  });

  test('is done without where the provider gives none', async () => {
    await storeFindings(redis, MANY);
    const archive = createScriptedArchive(cite, () => {
      throw new TaskFailedError('request', '400: no count');
    });
    const fleet = await openArchive(archive);
    await answer(fleet, 'q1');
    expect(archive.counted).toHaveLength(1);
    expect(await logOf(fleet, 'q1')).toContain('estimated, not counted: 400: no count');
  });
});
