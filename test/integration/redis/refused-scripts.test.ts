import { expect, test } from 'vitest';
import { SCRIPTS, type ScriptName } from '../../../src/redis/scripts.ts';
import { readKeys } from '../../support/redis/read-everything.ts';
import { runRefused } from '../../support/redis/run-refused.ts';
import { runScenario, toStable } from '../../support/redis/run-twice.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { TWICE_SCENARIOS } from './twice-scenarios.ts';

const redis = useRedis();
const names = Object.keys(SCRIPTS) as ScriptName[];

/** They look at few keys before they write, because they run at every turn. */
const NOT_LOOKED_AT: Partial<Record<ScriptName, RegExp>> = {
  'begin-turn': /:(reservations|spend:.*)$/,
  'settle-turn': /:(turns:.*|.*:lock|session-totals:.*|ledger-days)$/,
  'finish-task': /:(.*:lock|spend:task:.*)$/,
};

/** Redis undoes nothing of a script that fails half way. */
test.each(names)('%s writes all or nothing where one of its keys holds another type', async (script) => {
  const caller = await redis.connect('producer');
  const half: string[] = [];
  let count = 1;
  for (let n = 0; n < count; n += 1) {
    let key: string | undefined;
    const { changed } = await runRefused(redis.redis, script, TWICE_SCENARIOS[script], {
      caller,
      swarm: `${redis.swarm}x${n}`,
      toHarm(keys) {
        if (key !== undefined) return null; // the first run only
        key = keys[n] ?? '';
        count = keys.length;
        return toOtherType(key);
      },
    });
    if (changed.length > 0 && NOT_LOOKED_AT[script]?.test(key ?? '') !== true)
      half.push(`${key}: ${changed.join(' ')}`);
  }
  expect(half).toEqual([]);
});

/** Nothing is written, and no caller learns of it: what is owed stays, and is paid at the next look. */
const WRITES_LATER: ScriptName = 'pay-owed';

/** Memory that is full: a script is refused as a whole, before its first write. */
test.each(names.filter((name) => name !== WRITES_LATER))(
  '%s writes all or nothing where the memory of Redis is full',
  async (script) => {
    const { between: _, ...scenario } = TWICE_SCENARIOS[script];
    const usual = await runScenario(redis, script, scenario, 1);
    const { changed, runs } = await runRefused(redis.redis, script, scenario, {
      caller: await redis.connect('producer'),
      swarm: redis.swarm,
      toHarm: () => ({
        begin: () => redis.redis.config('SET', 'maxmemory', 1),
        end: () => redis.redis.config('SET', 'maxmemory', 0),
      }),
    });
    expect(changed, `of ${runs} runs`).toEqual([]);
    const mayDiffer = scenario.mayDiffer?.keys;
    const kept = toStable(await readKeys(redis.redis, `{${redis.swarm}}:*`), redis.swarm) as object;
    const compared = (keys: object): [string, unknown][] =>
      Object.entries(keys).filter(([key]) => !mayDiffer?.test(key));
    expect(Object.fromEntries(compared(kept))).toEqual(Object.fromEntries(compared(usual.keys)));
  },
);

function toOtherType(key: string) {
  let kept: Buffer | null = null;
  let ttlMs = 0;
  return {
    async begin() {
      kept = await redis.redis.dumpBuffer(key);
      ttlMs = Math.max(0, await redis.redis.pttl(key));
      const type = await redis.redis.type(key);
      await redis.redis.del(key);
      if (type === 'list') await redis.redis.set(key, 'x');
      else await redis.redis.rpush(key, 'x');
    },
    async end() {
      await redis.redis.del(key);
      if (kept !== null) await redis.redis.restore(key, ttlMs, kept);
    },
  };
}
