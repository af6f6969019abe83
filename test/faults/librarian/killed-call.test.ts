import { expect, test } from 'vitest';
import { startSimulator } from '../../../simulator/simulator.ts';
import { sweepReservations } from '../../../src/ledger/sweep.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { worstCaseNanoUsd } from '../../../src/pricing/cost.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { readBooks } from '../../support/redis/books.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const catalog = createCatalog([]);

const redis = useRedis();
const MODEL = 'gemini-3.5-flash-lite';
/** So much that the provider counts the prompt of a paid call first. */
const FINDINGS = Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [
    `finding_${i}`,
    { task: 'weather', result: `day ${i}: ${'fine weather '.repeat(1_500)}`, at: new Date(i * 1_000).toISOString() },
  ]),
);

const HOUR_MS = 3600_000;

/** Kills a librarian in its call. @returns what was held for the call */
async function killInCall(tier: 'free' | 'paid') {
  await storeFindings(redis, FINDINGS);
  const simulator = await startSimulator({ anthropic: { latencyMs: 0 }, gemini: { latencyMs: HOUR_MS } });
  redis.cleanup(() => simulator.close());
  const env = { GEMINI_BASE_URL: simulator.url, GEMINI_API_KEY: 'key-1', GEMINI_TIER: tier, FLEET_GEMINI_MODEL: MODEL };
  if (tier === 'paid') simulator.gemini.configure({ projects: { 'key-1': 'p' }, paidProjects: ['p'] });
  const { inner, ask } = await useFleet(redis, { env });
  const asked = (): number => simulator.gemini.requests().filter(({ question }) => question !== null).length;
  const librarian = await startWorkerProcess(redis, {
    id: 'librarian_killed',
    kind: 'librarian',
    provider: simulator.url,
    env,
  });
  await ask('How was the weather on day 3?');
  await waitUntil(() => asked() >= 1, { what: 'the call', timeoutMs: 20_000 });
  const held = (await readBooks(redis)).reserved;
  await librarian.end('SIGKILL');
  await sweepReservations(inner.db, { olderThanMs: -HOUR_MS }); // as a worker does once the call counts as lost
  return { held, db: inner.db };
}

test('a paid call leaves what its counted prompt can cost uncertain, not what its bytes could', async () => {
  const { held, db } = await killInCall('paid');
  const entry = catalog.find(MODEL, new Date());
  const bytes = Object.values(FINDINGS).reduce((sum, { result }) => sum + result.length, 0);
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(worstCaseNanoUsd(entry, { inputTokensBound: bytes, maxTokens: 0 }));
  expect(await readUncertain(db)).toMatchObject([{ nanoUsd: held }]);
}, 120_000);

test('a free call leaves nothing uncertain', async () => {
  const { held, db } = await killInCall('free');
  expect(held).toBe(0);
  expect(await readUncertain(db)).toEqual([]);
  expect(await readBooks(redis)).toMatchObject({ uncertain: 0, uncertainCalls: 0, openReservations: 0 });
}, 120_000);
