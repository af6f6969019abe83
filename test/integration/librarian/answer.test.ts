import { describe, expect, test } from 'vitest';
import { AccountRefusedError, ProviderUnavailableError, QuotaError, TaskFailedError } from '../../../src/errors.ts';
import { addQuery } from '../../../src/librarian/queries/enqueue.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { createScriptedArchive, idsShown } from '../../support/models/scripted-archive.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';
import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import type { ArchiveInput } from '../../../queues/archive.ts';

const redis = useRedis();

const TEA = { task: 'How much tea?', result: 'There are 40 crates of tea', session: 's1', topics: ['tea'] };
const RUM = { task: 'How much rum?', result: 'There are 3 barrels of rum', session: 's2' };

function ask(fleet: OpenFleet, input: string | ArchiveInput, queryId = 'q1') {
  const question = typeof input === 'string' ? { question: input } : input;
  return addQuery({ db: fleet.inner.db, queue: fleet.inner.queues.archive }, question, { queryId, session: 'today' });
}

const answered =
  (id = 'q1') =>
  async () => {
    const text = await redis.redis.get(redis.keys.finding(`archive_${id}`));
    return text === null ? null : (JSON.parse(text) as Record<string, unknown>);
  };

const failed =
  (fleet: OpenFleet, id = 'q1') =>
  async () => {
    const job = await fleet.inner.queues.archive.getJob(`archive_${id}`);
    // It may fail between the two reads: the job that was read first then has no reason yet.
    return job?.failedReason !== undefined && (await job.isFailed()) ? job : null;
  };

const delayed =
  (fleet: OpenFleet, id = 'q1') =>
  async () => {
    const job = await fleet.inner.queues.archive.getJob(`archive_${id}`);
    return job !== undefined && (await job.isDelayed()) ? job : null;
  };

const logOf = async (fleet: OpenFleet, id = 'q1') =>
  (await fleet.inner.queues.archive.getJobLogs(`archive_${id}`)).logs.join('\n');

describe('an answer', () => {
  test('cites what it rests on, is stored once, and costs nothing on a free shard', async () => {
    await storeFindings(redis, { finding_tea: TEA, finding_rum: RUM });
    const archive = createScriptedArchive(() => ({ answer: '40 crates [finding_tea].', citations: ['finding_tea'] }));
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, 'How many crates of tea?');
    const answer = await waitUntil(answered());

    expect(answer).toMatchObject({
      finding_id: 'archive_q1',
      task: 'How many crates of tea?',
      result: '40 crates [finding_tea].',
      citations: ['finding_tea'],
      kind: 'archive',
      vendor: 'google',
      cost: 0,
      context: { findings: 2, leftOut: null, fallback: false },
      session: 'today',
    });
    expect(answer?.['list_cost']).toBeGreaterThan(0);
    const { redis: admin, keys } = redis;
    expect(await admin.hgetall(keys.reservations)).toEqual({});
    expect(await admin.get(keys.cost('gemini'))).toBeNull();
    const totals = await admin.hgetall(keys.sessionTotals('today'));
    expect(totals).toMatchObject({ 'gemini:nano': '0' });
    expect(Number(totals['gemini:list_nano'])).toBeGreaterThan(0);
    expect(await admin.exists(keys.turns('archive_q1'))).toBe(0);
    const { total } = await fleet.costs({ by: 'model' });
    expect(total).toMatchObject({ calls: 1, costNano: 0, freeListNano: Number(totals['gemini:list_nano']) });
  });

  test('costs its list price on a paid shard', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const usage = { input: 1_000, cache_write: 0, cache_read: 0, output: 100 };
    const text = JSON.stringify({ answer: '40 [finding_tea]', citations: ['finding_tea'] });
    const fleet = await useFleet(redis, {
      env: { GEMINI_API_KEY: 'not-a-real-key', GEMINI_TIER: 'paid' },
      librarian: createScriptedArchive(() => ({ text, usage })),
    });

    await ask(fleet, 'Tea?');

    expect(await waitUntil(answered())).toMatchObject({ cost: 0.00055, list_cost: 0, tokens_used: 1_100 });
    expect(await redis.redis.get(redis.keys.cost('gemini'))).toBe('0.00055'); // 1,000 × $0.30 + 100 × $2.50 a million
  });

  test('is no evidence for the next one, and no live finding', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive(() => ({ answer: '40 [finding_tea]', citations: ['finding_tea'] }));
    const fleet = await useFleet(redis);
    const librarian = await fleet.startLibrarian(archive);
    await ask(fleet, 'Tea?');
    await waitUntil(answered());

    await ask(fleet, 'Tea again?', 'q2');
    await waitUntil(answered('q2'));

    expect(archive.calls.map(idsShown)).toEqual([['finding_tea'], ['finding_tea']]);
    expect(librarian.contextStats().findings).toBe(1);
    expect(await fleet.findings.count()).toBe(1);
  });

  test('knows a finding recorded right before the question, and shows it last', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive((call) => ({ answer: `[${idsShown(call).at(-1)}]` }));
    const fleet = await useFleet(redis);
    const librarian = await fleet.startLibrarian(archive);

    await storeFindings(redis, { finding_rum: { ...RUM, at: '1999-01-01T00:00:00.000Z' } });
    await ask(fleet, 'Rum?');

    expect(await waitUntil(answered())).toMatchObject({ citations: ['finding_rum'] });
    expect(archive.calls.map(idsShown)).toEqual([['finding_tea', 'finding_rum']]);
    expect(librarian.contextStats().comparisons).toBe(1);
  });

  test('is drawn only from what its filter lets through', async () => {
    await storeFindings(redis, { finding_tea: TEA, finding_rum: RUM });
    const archive = createScriptedArchive((call) => ({ answer: `[${idsShown(call).join(', ')}]` }));
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, { question: 'What is there?', filter: { session: 's2' } });

    expect(await waitUntil(answered())).toMatchObject({ citations: ['finding_rum'], filter: { session: 's2' } });
  });

  test('from an empty archive is NOT IN ARCHIVE and asks no model', async () => {
    const archive = createScriptedArchive(() => ({ answer: 'never' }));
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, 'Tea?');

    expect(await waitUntil(answered())).toMatchObject({ result: 'NOT IN ARCHIVE', citations: [], cost: 0 });
    expect(archive.calls).toEqual([]);
  });
});

describe('a query fails and stores no answer', () => {
  test.each([
    ['uncited', { answer: 'Forty crates.' }, /^citations: .*cites no finding; the reply: .*Forty crates/],
    ['citing what was not shown', { answer: '[finding_x1]', citations: ['finding_x1'] }, /^citations: .*finding_x1/],
    ['empty', { text: '', finish: 'empty' as const }, /^malformed: the reply is empty/],
    [
      'cut off',
      { text: '{"answ', finish: 'max-tokens' as const, finishWords: 'MAX_TOKENS' },
      /^malformed: .*MAX_TOKENS/,
    ],
    ['blocked', { text: '', finish: 'blocked' as const, finishWords: 'SAFETY' }, /^refusal: .*SAFETY/],
    ['no JSON', { text: 'Forty crates [finding_tea]' }, /^malformed: .*Forty crates/],
  ])('when the reply is %s', async (_, reply, reason) => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive(() => reply);
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, 'Tea?');

    const job = await waitUntil(failed(fleet));
    expect(job?.failedReason).toMatch(reason);
    expect(await answered()()).toBeNull();
    expect(archive.calls).toHaveLength(1);
    expect(await redis.redis.hgetall(redis.keys.reservations)).toEqual({});
    expect(await logOf(fleet)).toContain('no answer');
  });

  test('when its filter lets nothing through, naming the filter', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive(() => ({ answer: 'never' }));
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, { question: 'Tea?', filter: { session: 'instace-10' } });

    const job = await waitUntil(failed(fleet));
    expect(job?.failedReason).toBe('no-evidence: no finding fits the filter session instace-10; the archive holds 1');
    expect(archive.calls).toEqual([]);
  });

  test('when the provider sends 200 and a page, and the next query is answered', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive((_call, count) => {
      if (count === 1) throw new TaskFailedError('malformed', '200 without a reply: <html>');
      return { answer: '40 [finding_tea]' };
    });
    const fleet = await useFleet(redis, { librarian: archive });
    await ask(fleet, 'Tea?');
    expect((await waitUntil(failed(fleet)))?.failedReason).toMatch(/^malformed: .*<html>/);

    await ask(fleet, 'Tea?', 'q2');

    expect(await waitUntil(answered('q2'))).toMatchObject({ citations: ['finding_tea'] });
    expect(archive.calls[1]?.by).not.toBe(archive.calls[0]?.by);
  });
});

describe('a shard that cannot serve', () => {
  const cited = { answer: '40 [finding_tea]' };

  test.each([
    ['its minute is used up', () => quota('minute'), /on to the next/],
    ['its day is used up', () => quota('day'), /on to the next/],
    ['its key is refused', () => new AccountRefusedError('API key not valid'), /is refused: API key not valid/],
    ['it is down', () => new ProviderUnavailableError('gemini-3.5-flash-lite', true, 'HTTP 503'), /does not answer/],
    ['it hangs', () => new ProviderUnavailableError('gemini-3.5-flash-lite', true, 'no reply in 120 s'), /120 s/],
  ])('because %s sends the same query to the next', async (_, refuse, line) => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive((_call, count) => {
      if (count === 1) throw refuse();
      return cited;
    });
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, 'Tea?');

    expect(await waitUntil(answered())).toMatchObject({ citations: ['finding_tea'] });
    expect(archive.calls).toHaveLength(2);
    expect(archive.calls[1]?.by).not.toBe(archive.calls[0]?.by);
    expect(archive.calls[1]?.prompt).toBe(archive.calls[0]?.prompt);
    expect(await logOf(fleet)).toMatch(line);
    expect(await redis.redis.exists(redis.keys.haltReason)).toBe(0);
  });

  test('takes a smaller prompt when the size was refused, and the answer says what was left out', async () => {
    const findings = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [
        `finding_${i}`,
        { task: 'weather', result: `day ${i}: ${'fine '.repeat(200)}`, at: new Date(i * 1_000).toISOString() },
      ]),
    );
    await storeFindings(redis, { ...findings, finding_tea: { ...TEA, at: new Date(0).toISOString() } });
    const archive = createScriptedArchive((call, count) => {
      if (count === 1) throw quota('tokens', 5_000);
      return { answer: `40 crates [${idsShown(call)[0]}]` };
    });
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, 'How many crates of tea?');

    const answer = await waitUntil(answered());
    const [first, second] = archive.calls;
    expect(idsShown(first ?? { prompt: '' })).toHaveLength(41);
    expect(Buffer.byteLength(`${second?.system}${second?.prompt}`) / 4).toBeLessThan(5_000);
    expect(answer).toMatchObject({
      citations: ['finding_tea'],
      context: { leftOut: { findings: expect.any(Number) } },
    });
    expect(answer?.['result']).toMatch(/Not everything fitted: \d+ findings, about [\d,]+ tokens, were left out/);
  });

  test('halts the fleet only when every key is refused, with the provider’s words', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive(() => {
      throw new AccountRefusedError('API key expired');
    });
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, 'Tea?');

    const halt = await waitUntil(() => redis.redis.get(redis.keys.haltReason));
    expect(halt).toContain('API key expired');
    expect(new Set(archive.calls.map((call) => call.by))).toEqual(new Set([1, 2, 3, 4, 5]));
  });

  test('leaves the query waiting for the reset when all are used up, and says so', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive(() => {
      throw quota('day');
    });
    const fleet = await useFleet(redis, { librarian: archive });

    await ask(fleet, 'Tea?');

    const job = await waitUntil(delayed(fleet));
    expect(archive.calls).toHaveLength(5);
    expect(job?.attemptsMade).toBe(0);
    expect(await logOf(fleet)).toMatch(/waits \d+ s: no shard has room until .*\(day\)/);
  });

  test('lets the fallback answer when all are used up, and the answer says so', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive((call) => {
      if (call.by !== 'fallback') throw quota('day');
      return cited;
    });
    const fleet = await useFleet(redis, { librarian: archive.withFallback() });

    await ask(fleet, 'Tea?');

    const answer = await waitUntil(answered());
    expect(answer).toMatchObject({
      model: 'deepseek-flash',
      vendor: 'deepseek',
      context: { fallback: true, shard: null },
    });
    expect(answer?.['result']).toContain('(Answered by deepseek-flash: no shard could be used.)');
    expect(answer?.['cost']).toBeGreaterThan(0);
  });

  test('does not bring in the fallback where the query forbids it', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const archive = createScriptedArchive(() => {
      throw quota('day');
    });
    const fleet = await useFleet(redis, { librarian: archive.withFallback() });

    await ask(fleet, { question: 'Tea?', allow_fallback: false });

    await waitUntil(delayed(fleet));
    expect(archive.calls.map((call) => call.by)).not.toContain('fallback');
  });
});

describe('a librarian that goes away', () => {
  test('records the answer of its call under way, and hands the others back', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const archive = createScriptedArchive(async () => {
      await held;
      return { answer: '40 [finding_tea]' };
    });
    const fleet = await useFleet(redis);
    const librarian = await fleet.startLibrarian(archive);
    await ask(fleet, 'Tea?');
    await waitUntil(() => archive.calls.length === 1);

    const closing = librarian.close();
    release();
    await closing;

    expect(await answered()()).toMatchObject({ citations: ['finding_tea'] });
  });

  test('leaves a paid reply to the process that has the query then: it is not paid again', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const { keys } = redis;
    const archive = createScriptedArchive(async () => {
      // Another worker has the job when the reply arrives.
      await redis.redis.set(keys.jobLock('archive', 'archive_q1'), 'another-worker');
      return { answer: '40 [finding_tea]' };
    });
    const fleet = await useFleet(redis, {
      env: { GEMINI_API_KEY: 'not-a-real-key', GEMINI_TIER: 'paid' },
      librarian: archive,
    });
    await ask(fleet, 'Tea?');
    await waitUntil(async () =>
      (await redis.redis.hkeys(keys.turns('archive_q1'))).some((field) => field.startsWith('r:')),
    );

    await redis.redis.del(keys.jobLock('archive', 'archive_q1'));

    expect(await waitUntil(answered(), { timeoutMs: 25_000 })).toMatchObject({ citations: ['finding_tea'] });
    expect(archive.calls).toHaveLength(1);
    expect(await redis.redis.hgetall(keys.reservations)).toEqual({});
  });
});

function quota(scope: 'minute' | 'day' | 'tokens', statedLimit: number | null = null): QuotaError {
  const info = { scope, retryAfterMs: 38_000, statedLimit };
  const error = new QuotaError('gemini-3.5-flash-lite', info, `429: ${scope} used up`);
  error.billed = 'no';
  return error;
}
