import type { Job } from 'bullmq';
import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/environment.ts';
import type { ModelRow, RouteRow } from '../../../src/config/model-rows/types.ts';
import type { ArchiveInput } from '../../../queues/archive.ts';
import {
  AccountRefusedError,
  ProviderUnavailableError,
  QuotaError,
  RateLimitedError,
  TaskFailedError,
} from '../../../src/errors.ts';
import { addQuery } from '../../../src/librarian/queries/enqueue.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive, type ScriptedArchive } from '../../support/models/scripted-archive.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const SMALL: ModelRow = {
  id: 'small',
  vendor: 'home',
  api: 'openai',
  model: 'small',
  baseUrl: 'http://127.0.0.1:1',
  keyEnv: null,
  contextTokens: 20_000,
  maxOutputTokens: 4_000,
  price: 'free-local',
  limits: { concurrent: 2 },
  abilities: { tools: true, schema: false, thinking: false, images: false },
  since: '2026-01-01',
};
const GEMINI = 'gemini-3.5-flash-lite';
const HAIKU = 'claude-haiku-5-5';
const cited = { answer: '40 crates [finding_tea].', citations: ['finding_tea'] };
const usedUp = () => new QuotaError(GEMINI, { scope: 'day', retryAfterMs: 0, statedLimit: null }, '429: used up');
const limited = () => new RateLimitedError(HAIKU, 90_000, '429: slow down');

async function open(archive: ScriptedArchive, use: string[], config: Partial<Config> = {}): Promise<TestFleet> {
  await storeFindings(redis, { finding_tea: { task: 'How much tea?', result: 'There are 40 crates of tea' } });
  const routes: RouteRow[] = [{ kind: ['archive'], use }];
  return useFleet(redis, { librarian: archive.withModels(), config: { routes, ...config } });
}

async function ask(fleet: TestFleet, queryId = 'q1', more: Partial<ArchiveInput> = {}) {
  const { db, queues } = fleet.inner;
  await addQuery({ db, queue: queues.archive }, { question: 'Tea?', ...more }, { queryId, session: 'today' });
  const job = (await waitUntil(async () => {
    const found = await queues.archive.getJob(`archive_${queryId}`);
    if (found === undefined) return;
    const states = await Promise.all([found.isDelayed(), found.isCompleted(), found.isFailed()]);
    return states.includes(true) ? found : undefined;
  })) as Job;
  const { logs } = await queues.archive.getJobLogs(`archive_${queryId}`);
  const text = await redis.redis.get(redis.keys.finding(`archive_${queryId}`));
  return { job, log: logs.join('\n'), answer: text === null ? null : (JSON.parse(text) as Record<string, unknown>) };
}

test('a route names who answers first: no shard is asked, and the answer is paid as that model costs', async () => {
  const archive = createScriptedArchive(() => cited);
  const { answer } = await ask(await open(archive, [HAIKU, GEMINI]));

  expect(archive.calls.map(({ by }) => by)).toEqual([HAIKU]);
  expect(answer).toMatchObject({ model: HAIKU, vendor: 'anthropic', context: { fallback: false, shard: null } });
  expect(answer?.['result']).toBe('40 crates [finding_tea].');
  expect(answer?.['cost']).toBeGreaterThan(0);
  expect(await redis.redis.hgetall(redis.keys.reservations)).toEqual({});
});

test.each([
  ['limited', limited],
  ['refused', () => new AccountRefusedError('401: this key is not valid')],
  ['down', () => new ProviderUnavailableError(HAIKU, true, '503: overloaded')],
])('a first model that is %s leaves the question to the shards, and they to the next', async (_, refuse) => {
  const archive = createScriptedArchive(({ by }) => {
    if (by === HAIKU) throw Object.assign(refuse(), { billed: 'no' });
    if (typeof by === 'number') throw usedUp();
    return cited;
  });
  const { answer, log } = await ask(await open(archive, [HAIKU, GEMINI, 'deepseek-flash']));

  expect(archive.calls[0]?.by).toBe(HAIKU);
  expect(archive.calls.at(-1)?.by).toBe('deepseek-flash');
  expect(log).toMatch(/claude-haiku-5-5: .*: a shard is asked/);
  expect(log).toContain('no shard can be used: deepseek-flash is asked');
  expect(answer).toMatchObject({ model: 'deepseek-flash', context: { fallback: true } });
  expect(await redis.redis.get(redis.keys.haltReason)).toBeNull();
});

test('a question that forbids the fallback waits for the first one alone', async () => {
  const archive = createScriptedArchive(({ by }) => {
    if (by !== HAIKU) return cited;
    throw Object.assign(limited(), { billed: 'no' });
  });
  const { job, answer } = await ask(await open(archive, [HAIKU, GEMINI]), 'q1', { allow_fallback: false });

  expect(answer).toBeNull();
  expect(await job.isDelayed()).toBe(true);
  expect(archive.calls.map(({ by }) => by)).toEqual([HAIKU]);
});

test('a paper asks the shards alone, whatever the route says', async () => {
  const archive = createScriptedArchive(() => cited);
  const { answer } = await ask(await open(archive, [HAIKU, GEMINI]), 'q1', { allow_fallback: false, paper: {} });

  expect(archive.calls.map(({ by }) => typeof by)).toEqual(['number']);
  expect(answer).toMatchObject({ model: GEMINI });
});

test('without a Gemini key the models of the route answer, each shown what its own window holds', async () => {
  const shownTo = (id: string) => archive.calls.filter(({ by }) => by === id).map(({ prompt }) => prompt.length);
  const archive = createScriptedArchive(({ by }, count) => {
    if (by !== SMALL.id) return cited;
    const error = count === 1 ? new TaskFailedError('too-long', '400: prompt is too long') : limited();
    throw Object.assign(error, { billed: 'no' });
  });
  const many = Array.from({ length: 200 }, (_, i) => [
    `finding_${i}`,
    { task: `Hold ${i}`, result: 'rum '.repeat(100) },
  ]);
  await storeFindings(redis, Object.fromEntries(many) as Parameters<typeof storeFindings>[1]);
  const { answer, job } = await ask(await open(archive, [SMALL.id, 'deepseek-flash'], { shards: [], models: [SMALL] }));

  const [first = 0, second = first] = shownTo(SMALL.id);
  const [last = 0] = shownTo('deepseek-flash');
  expect(second).toBeLessThan(0.6 * first); // it was refused once
  expect(first * 0.36).toBeLessThan(SMALL.contextTokens - SMALL.maxOutputTokens + 1_000);
  expect(last).toBeGreaterThan(80_000); // all of them
  expect(answer).toMatchObject({ model: 'deepseek-flash', context: { leftOut: null } });
  expect(await job.isCompleted()).toBe(true);
});
