import { describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../../simulator/simulator.ts';
import { storeFindings, storeExternal } from '../../support/redis/store-findings.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { spawnWorker } from '../../support/process/worker-process.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const TEA = { task: 'Look at the store', result: 'The store holds 40 crates of tea.', session: 'instance-10' };
const shell = useShell(redis);
const fleet = shell.run;

async function openSimulator(): Promise<Simulator> {
  const simulator = await startSimulator({ gemini: { latencyMs: 5 } });
  redis.cleanup(() => simulator.close());
  return simulator;
}

/** Starts a built librarian and waits until it is ready or has ended. */
async function startProcess(env: Record<string, string>) {
  const librarian = spawnWorker(redis, 'librarian', shell.env(env));
  return { ...librarian, ready: await librarian.isReady };
}

describe('a librarian process', () => {
  it('answers fleet ask, lists the sources, and ends well on SIGTERM', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    await storeExternal(redis, { theirs: { result: 'The cellar holds 3 barrels of rum.' } });
    const simulator = await openSimulator();
    const librarian = await startProcess({ GEMINI_BASE_URL: simulator.url });
    expect(librarian.ready).toBe(true);

    const asked = await fleet(
      'ask',
      'How many crates of tea does the store hold?',
      '--session',
      'instance-10',
      '--wait',
    );
    expect(asked).toMatchObject({ code: 0 });
    expect(asked.stdout).toMatch(/40 crates of tea\. \[finding_tea\]/);
    expect(asked.stdout).toMatch(
      /Sources:\n {2}finding_tea {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}instance-10 {2}The store holds/,
    );
    expect(asked.stdout).toMatch(
      /archive_\w+ {2}from 1 finding, gemini-3\.5-flash-lite, \$0\.000000 \(free; list price \$0\.0/,
    );

    await waitUntil(async () => (await redis.redis.zscore(redis.keys.index, 'theirs')) !== null);
    const rum = await fleet('ask', 'How much rum does the cellar hold?', '--wait', '--json');
    expect(JSON.parse(rum.stdout)).toMatchObject({ citations: ['theirs'] });
    const wrong = await fleet('ask', 'Tea?', '--topic', 'nothing', '--wait');
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no-evidence: no finding fits the filter topic nothing'),
    });
    expect(await fleet('ask', 'Tea?', '--since', 'yesterdayish')).toMatchObject({ code: 2 });

    const retracted = await fleet('findings', 'retract', 'finding_tea', '--why', 'counted twice', '--json');
    expect(JSON.parse(retracted.stdout)).toMatchObject({
      id: 'finding_tea',
      cited_by: [expect.stringMatching(/^archive_/)],
    });
    expect((await fleet('findings', 'finding_tea')).stdout).toMatch(/Retracted +counted twice/);
    const again = await fleet('ask', 'What about crates and tea?', '--wait');
    expect(again.stdout).toContain('NOT IN ARCHIVE');
    expect((await fleet('findings', '--answers')).stdout.trim().split('\n')).toHaveLength(3);

    const failed = await fleet('failed');
    expect(failed.stdout).toMatch(/no-evidence: 1 question\n {3}(archive_\w+) /);
    const id = /archive_\w+/.exec(failed.stdout)?.[0] ?? '';
    expect(await fleet('retry', id, '--append', 'x')).toMatchObject({ code: 1 });
    expect((await fleet('retry', id)).stdout).toContain(`Retried ${id}`);

    expect((await librarian.end('SIGTERM')).code).toBe(0);
  });

  it('is not needed to test the shards: each gets one query, and a bad key is named', async () => {
    const simulator = await openSimulator();
    simulator.gemini.configure({ acceptKeys: ['key-1', 'key-3'] });
    const env = {
      GEMINI_BASE_URL: simulator.url,
      GEMINI_TIER: 'free',
      ...Object.fromEntries([1, 2, 3].map((shard) => [`GEMINI_API_KEY_SHARD${shard}`, `key-${shard}`])),
    };

    const tested = await shell.start(['shards', '--test'], { env }).done;

    expect(tested.code).toBe(1);
    expect(tested.stdout).toMatch(/S1 ✅ \d+ ms\nS2 ❌ \d+ ms .*API key.*\nS3 ✅ \d+ ms\n2 of 3 shards answer\./);
    expect(simulator.gemini.requests()).toHaveLength(3);
    const shown = await shell.start(['shards', '--json'], { env }).done;
    expect(JSON.parse(shown.stdout)).toMatchObject({ shards: [{ left: 1499 }, {}, { left: 1499 }] });
  });

  it('killed while it asks loses nothing: another answers, once', async () => {
    await storeFindings(redis, { finding_tea: TEA });
    const simulator = await openSimulator();
    simulator.gemini.configure({ faults: [{ kind: 'hung', when: { nth: 1 } }] });
    const first = await startProcess({ GEMINI_BASE_URL: simulator.url });
    const asking = fleet('ask', 'How many crates of tea does the store hold?', '--query-id', 'tea', '--wait');
    await waitUntil(() => simulator.gemini.requests().length === 1);

    await first.end('SIGKILL');
    await startProcess({ GEMINI_BASE_URL: simulator.url });

    expect(await asking).toMatchObject({ code: 0, stdout: expect.stringContaining('[finding_tea]') });
    expect(await redis.redis.zcard(redis.keys.indexAnswers)).toBe(1);
    expect(await redis.redis.hgetall(redis.keys.reservations)).toEqual({});
  });

  it.each([
    ['without a key', { FLEET_OFFLINE: '0' }, /GEMINI_API_KEY_SHARD1: expected a key, got nothing/],
    [
      'that does not say who pays',
      { FLEET_OFFLINE: '0', GEMINI_API_KEY: 'not-a-real-key' },
      /GEMINI_TIER_SHARD1: expected free or paid/,
    ],
  ])('%s exits 78 and says what is missing', async (_, env, message) => {
    const librarian = await startProcess(env);
    expect((await librarian.ended).code).toBe(78);
    expect(librarian.output()).toMatch(message);
    expect(librarian.output()).not.toContain('not-a-real-key');
  });
});
