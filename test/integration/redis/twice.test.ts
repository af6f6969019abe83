import { expect, test } from 'vitest';
import { SCRIPTS, type ScriptName } from '../../../src/redis/scripts.ts';
import { runScenario } from '../../support/redis/run-twice.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { TWICE_SCENARIOS } from './twice-scenarios.ts';

const redis = useRedis();

/** A connection that breaks before the answer arrives makes the client send the script again. */
test.each(Object.keys(SCRIPTS) as ScriptName[])('%s that runs twice leaves what one run leaves', async (script) => {
  const scenario = TWICE_SCENARIOS[script];
  const once = await runScenario(redis, script, scenario, 1);
  const twice = await runScenario(redis, script, scenario, 2);

  expect(once.runs, 'the scenario runs its script').toBeGreaterThan(0);
  expect(twice.result).toEqual(scenario.again === undefined ? once.result : scenario.again.result);
  const { mayDiffer } = scenario;
  const compared = (keys: Record<string, unknown>): [string, unknown][] =>
    Object.entries(keys).filter(([key]) => mayDiffer === undefined || !mayDiffer.keys.test(key));
  expect(Object.fromEntries(compared(twice.keys))).toEqual(Object.fromEntries(compared(once.keys)));
  const expires = Object.entries(twice.ttls).map(([key, ttl]) => {
    const other = once.ttls[key] ?? -1;
    return [key, isAlike(ttl, other) ? other : ttl];
  });
  expect(Object.fromEntries(expires)).toEqual(once.ttls);
});

/** Seconds until a key expires, in two runs one after the other; -1: never. */
function isAlike(a: number, b: number): boolean {
  return a === -1 || b === -1 ? a === b : Math.abs(a - b) <= 5;
}
