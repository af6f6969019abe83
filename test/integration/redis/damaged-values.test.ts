import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test, vi } from 'vitest';
import { buildProgram } from '../../../src/cli/program.ts';
import { toMessage } from '../../../src/errors.ts';
import { createForgetting } from '../../../src/jobs/forget/forget.ts';
import { createDb } from '../../../src/redis/db.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { swarmEnvironment } from '../../support/redis/swarm-environment.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { loadKeys } from '../../support/upgrade/stored-keys.ts';

const redis = useRedis();
const FIXTURE = fileURLToPath(new URL('../../support/upgrade/old-data.json.gz', import.meta.url));
const DAY = '2026-11-26';
const toKey = (name: string): string => `{upgrade}:${name}`;

/** Of a key, the commands that read it. The long form `FLEET_TEST_DAMAGES=all` damages each in every way. */
const READERS: Record<string, string[][]> = {
  session: [['status']],
  counters: [['status']],
  budget: [['status'], ['budget']],
  workers: [['status']],
  attendants: [['status']],
  'host-clocks': [['status']],
  parked: [['status'], ['status', '--batch', 'done']],
  'mission:mission-waits': [['status'], ['mission', 'ls'], ['mission', 'mission-waits']],
  'mission:mission-done': [
    ['mission', 'ls'],
    ['mission', 'mission-done'],
  ],
  'paper:paper': [
    ['paper', 'show', 'paper'],
    ['mission', 'paper'],
  ],
  'batch:done': [['status', '--batch', 'done']],
  'spend:batch:done': [['status', '--batch', 'done'], ['budget']],
  'spend:mission:mission-parked': [['status'], ['mission', 'mission-parked']],
  [`spend:day:${DAY}`]: [['status'], ['budget']],
  [`ledger:${DAY}`]: [['costs'], ['status']],
  [`session-totals:${DAY}`]: [['status'], ['costs']],
  contexts: [['context', 'ls']],
  'tree-hosts': [['status'], ['worktrees']],
  'shard-state:1': [['status'], ['shards']],
  'shard-project:shard1': [['status'], ['shards']],
  reservations: [['costs', '--uncertain'], ['status']],
  'reservations:uncertain': [['costs', '--uncertain']],
  'reservations:booked': [['status']],
  settlements: [['costs', '--uncertain']],
  compaction: [['status']],
  'tasks:bad-1': [['failed']],
  'missions:mission-waits': [['mission', 'mission-waits']],
  'librarian:shard1:quota': [['status'], ['shards']],
  'context:active': [['status']],
  index: [['findings'], ['findings', '--export', '-']],
  'index:answers': [['findings', '--export', '-']],
  retracted: [['findings', '--export', '-']],
};
const HUGE = 'x'.repeat(10_000_000);
const TEXTS = ['{"a":', 'null', '[]', '7', '{}', '"text"', '', '{"__proto__":{"a":1},"tasks":"x","sections":7}', HUGE];

/** What puts damage into a key, in words; `all`: each of its fields, and a new one, holds the text. */
function toDamages(key: string): [what: string, damage: () => Promise<unknown>][] {
  const client = redis.redis;
  const fill = async (text: string): Promise<void> => {
    const type = await client.type(key);
    if (type === 'string' || type === 'zset') await client.set(key, text);
    else if (type === 'list') await client.rpush(key, text);
    else {
      const fields = [...(await client.hkeys(key)).slice(0, text === HUGE ? 2 : 1_000), 'other', 'draft:999999999'];
      for (const field of fields) await client.hset(key, field, text);
    }
  };
  const other = (put: () => Promise<unknown>) => async (): Promise<void> => {
    await client.del(key);
    await put();
  };
  return [
    ['a list', other(() => client.rpush(key, 'x'))],
    ['text', other(() => client.set(key, 'x'))],
    ['a hash', other(() => client.hset(key, 'x', 'y'))],
    ['a sorted set', other(() => client.zadd(key, 1, 'x'))],
    ...TEXTS.map((text): [string, () => Promise<void>] => [`all ${text.slice(0, 20)}`, () => fill(text)]),
  ];
}

/** Runs a command in this process. @returns what it printed and threw */
async function run(args: readonly string[]): Promise<{ text: string; thrown: unknown }> {
  const lines: string[] = [];
  const take = (text: unknown): boolean => lines.push(String(text).slice(0, 5_000)) > 0;
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take),
    vi.spyOn(console, 'log').mockImplementation(take),
    vi.spyOn(console, 'error').mockImplementation(take),
  ];
  let thrown: unknown = null;
  try {
    await buildProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    thrown = error;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return { text: lines.join('\n'), thrown };
}

beforeAll(async () => {
  Object.assign(process.env, swarmEnvironment(redis, { FLEET_SWARM: 'upgrade' }));
});

test(
  'no damaged value is taken for another, ends a command without its name, or hides what is whole',
  { timeout: 600_000 },
  async () => {
    const client = redis.redis;
    await client.flushall();
    await loadKeys(client, FIXTURE);
    await client.hset(
      toKey('contexts'),
      'notes',
      JSON.stringify({ bytes: 1, sha256: 'x', loadedAt: `${DAY}T00:00:00Z` }),
    );
    await client.hset(toKey('shard-state:1'), { failures: 1, last_error: 'x', last_error_at: 5, closed_until: 0 });
    await client.rpush(toKey('settlements'), '{"nano":1}');
    const forget = createForgetting({ db: createDb(client, 'upgrade') });
    const random = createRandom(takeSeed('damaged values'));
    for (const [name, commands] of Object.entries(READERS)) {
      const key = toKey(name);
      const dump = await client.dumpBuffer(key);
      const damages = toDamages(key);
      const chosen = process.env['FLEET_TEST_DAMAGES'] === 'all' ? damages : [damages[random(0, damages.length - 1)]];
      for (const [what, damage] of chosen.flatMap((one) => (one === undefined ? [] : [one]))) {
        await damage();
        for (const args of commands) {
          const { text, thrown } = await run(args);
          const at = `${key} holds ${what}: fleet ${args.join(' ')}`;
          expect(text, at).not.toMatch(/NaN|undefined|\[object/);
          if (thrown === null) continue;
          expect(toMessage(thrown), at).toMatch(/damaged|expected/);
          expect(toMessage(thrown), at).toContain(name.split(':').at(-1) === name ? name : name.split(':')[1]);
        }
        await forget(Date.now()).catch((error: unknown) => expect(toMessage(error), key).toMatch(/damaged|WRONGTYPE/));
        await client.del(key);
        if (dump !== null) await client.restore(key, 0, dump);
      }
    }
  },
);
