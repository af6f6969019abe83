import { beforeEach, expect, test } from 'vitest';
import { createRules } from '../../../src/rules/create-rules.ts';
import { toTaskId } from '../../../src/rules/fire.ts';
import { watchRules } from '../../../src/rules/watch-rules.ts';
import { adoptExternal } from '../../../src/findings/external/adopt.ts';
import type { Rules } from '../../../src/rules/types.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { storeExternal, storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';
import { toConfigured } from '../../../src/tasks/known-names.ts';

/** The long form: `FLEET_TEST_FINDINGS=20000`. */
const PASSED = Number(process.env['FLEET_TEST_FINDINGS'] ?? 600);
const TASK = 'Check {finding.id}';
const MATCH = { topic: 'tea' };

const redis = useRedis();
let fleet: TestFleet;
let rules: Rules;
let stop: (() => Promise<void>) | undefined;

beforeEach(async () => {
  fleet = await useFleet(redis);
  rules = createRules({ ...fleet.inner, configured: toConfigured({ FLEET_WORKSPACES: {}, models: [] }) });
  stop = undefined;
});

async function start(): Promise<void> {
  const { inner } = fleet;
  const subscriber = await redis.connect();
  await subscriber.subscribe(redis.keys.control);
  stop = watchRules({ ...inner, subscriber, log: createLogger('test', 'silent') });
  redis.cleanup(() => stop?.());
}

async function isFired(rule: string, ...findings: string[]): Promise<void> {
  const wanted = findings.map((id) => toTaskId(rule, id)).toSorted();
  await waitUntil(async () => (await fleet.queue.getJobCountByTypes('waiting')) >= wanted.length, {
    what: `tasks of rule ${rule} for ${wanted.length} findings`,
    timeoutMs: 60_000,
  });
  const ids = (await fleet.queue.getWaiting()).map(({ id = '' }) => id).toSorted();
  expect(ids).toEqual(wanted);
}

/** The rules have seen all that is stored. */
async function isRead(rule: string): Promise<void> {
  await waitUntil(
    async () => {
      const [cursor = ''] = ((await redis.redis.hget(redis.keys.rule(rule), 'cursor')) ?? '').split('|');
      const [newest] = await redis.redis.xrevrange(redis.keys.events, '+', '-', 'COUNT', 1);
      return cursor === newest?.[0] && (await redis.redis.hexists(redis.keys.rule(rule), 'past')) === 0;
    },
    { what: `rule ${rule} at the end of the stream`, timeoutMs: 60_000 },
  );
}

test('findings start tasks as they come, of the fleet as of other programs, also of a rule that is made meanwhile', async () => {
  await start();
  await storeFindings(redis, { before: { topics: ['tea'] } });
  await rules.add('watch', { match: MATCH, task: TASK });
  await storeFindings(redis, { f1: { topics: ['tea'] }, other: { topics: ['milk'] } });
  await storeExternal(redis, { f2: { topics: ['tea'], result: 'of another program' } });
  await adoptExternal(redis.db, ['f2']);
  await isFired('watch', 'f1', 'f2');
  await rules.add('late', { match: { topic: 'milk' }, task: TASK, since: '1h' });
  await isRead('watch');
  await waitUntil(async () => (await rules.show('late')).fired === 1, { what: 'the finding of before' });
  await waitUntil(async () => (await redis.redis.hlen(redis.keys.rulesPending)) === 0, { what: 'no task to be added' });
});

test('a rule that is made while nobody is up misses nothing; one that is paused goes on from its place', async () => {
  await rules.add('watch', { match: MATCH, task: TASK });
  await rules.add('paused', { match: { topic: 'milk' }, task: TASK });
  await rules.pause('paused');
  await storeFindings(redis, { f1: { topics: ['tea'] }, f2: { topics: ['tea'] }, f3: { topics: ['milk'] } });
  await start();
  await isFired('watch', 'f1', 'f2');
  await rules.resume('paused');
  await waitUntil(async () => (await rules.show('paused')).fired === 1, { what: 'the rule that was paused' });
});

test(
  'a subscriber that is dead while findings pass and the stream is trimmed loses none, whatever their instant',
  { timeout: 60_000 + PASSED * 20 },
  async () => {
    await rules.add('watch', { match: MATCH, task: TASK });
    await start();
    await storeFindings(redis, { first: { topics: ['tea'] } });
    await isFired('watch', 'first');
    await isRead('watch');
    await stop?.();

    const wanted = ['first', 'old', 'imported'];
    await storeExternal(redis, { old: { topics: ['tea'], timestamp: '1999-01-01T00:00:00' } });
    await adoptExternal(redis.db, ['old']);
    await storeFindings(redis, { imported: { topics: ['tea'], at: '2001-01-01T00:00:00.000Z' } });
    for (let from = 0; from < PASSED; from += 200) {
      const ids = Array.from({ length: Math.min(200, PASSED - from) }, (_, i) => `n${from + i}`);
      await Promise.all(ids.map((id, i) => storeFindings(redis, { [id]: { topics: i % 10 === 0 ? ['tea'] : [] } })));
      wanted.push(...ids.filter((_, i) => i % 10 === 0));
    }
    await redis.redis.xtrim(redis.keys.events, 'MAXLEN', 3);
    await start();
    await isFired('watch', ...wanted);
    await isRead('watch');
    expect(await fleet.queue.getJobCountByTypes('waiting')).toBe(wanted.length);

    await stop?.();
    await storeFindings(redis, { last: { topics: ['tea'] } });
    await redis.redis.xtrim(redis.keys.events, 'MAXLEN', 0);
    await start();
    await isFired('watch', ...wanted, 'last');
  },
);

test('what a process had noted when it died is added by the next one', async () => {
  await rules.add('watch', { match: MATCH, task: TASK });
  await storeFindings(redis, { f1: { topics: ['tea'] } });
  const taskId = toTaskId('watch', 'f1');
  const input = { description: 'Check f1' };
  const firing = { rule: 'watch', finding: 'f1', chain: [{ rule: 'watch', finding: 'f1' }], input };
  await redis.redis.hset(redis.keys.rulesPending, taskId, JSON.stringify(firing));
  await redis.redis.zadd(redis.keys.ruleFired('watch'), 1, 'f1');
  await start();
  await isFired('watch', 'f1');
  await waitUntil(async () => (await redis.redis.hlen(redis.keys.rulesPending)) === 0, { what: 'the end of the note' });
});
