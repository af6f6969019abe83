import { createDb, type Db } from '../../../src/redis/db.ts';
import { SCRIPTS, type ScriptName } from '../../../src/redis/scripts.ts';
import { readKeys } from './read-everything.ts';
import type { TestRedis } from './use-redis.ts';

/** What a caller does with one script. The script may need others first. */
export interface TwiceScenario {
  /** Does it, and returns what the caller makes of the answer. */
  run(db: Db, twice: Db): Promise<unknown>;
  /** What other processes do after the first run of each call. */
  between?(db: Db): Promise<unknown>;
  /** Where it may differ from what one run leaves: names of keys, and the reason. */
  mayDiffer?: { keys: RegExp; because: string };
  /** What the caller gets for the second run instead, and why that leads it to the same end. */
  again?: { result: unknown; because: string };
}

export interface Outcome {
  result: unknown;
  /** All keys of the swarm by name, without what differs from run to run. */
  keys: Record<string, unknown>;
  /** Of the same keys, when each expires: seconds from now; -1: never. */
  ttls: Record<string, number>;
}

/** Does a scenario in a swarm of its own. @param times how often the script runs for each call: the caller gets the last answer */
export async function runScenario(
  redis: TestRedis,
  script: ScriptName,
  scenario: TwiceScenario,
  times: 1 | 2,
): Promise<Outcome & { runs: number }> {
  const swarm = `${redis.swarm}x${times}${Object.keys(SCRIPTS).indexOf(script)}`;
  const db = createDb(redis.redis, swarm);
  let runs = 0;
  const call = Reflect.get(db.scripts, script) as (...args: unknown[]) => Promise<unknown>;
  const repeated = async (...args: unknown[]): Promise<unknown> => {
    let answer: unknown;
    for (let n = 0; n < times; n += 1) {
      runs += 1;
      answer = await call(...args);
      if (n === 0) await scenario.between?.(db);
    }
    return answer;
  };
  const twice: Db = { ...db, scripts: { ...db.scripts, [script]: repeated } };
  const result = toStable(await scenario.run(db, twice), swarm);
  const pattern = `{${swarm}}:*`;
  const ttls = await Promise.all(
    (await redis.redis.keys(pattern)).map(async (key) => [key, await redis.redis.ttl(key)]),
  );
  return {
    result,
    keys: toStable(await readKeys(redis.redis, pattern), swarm) as Outcome['keys'],
    ttls: toStable(Object.fromEntries(ttls), swarm) as Outcome['ttls'],
    runs,
  };
}

/** Replaces names of the swarm, instants and random parts. */
export function toStable(value: unknown, swarm: string): unknown {
  const text = JSON.stringify(value ?? null)
    .replaceAll(swarm, 'SWARM')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
    .replaceAll(/\b1[6-9]\d{11}(?:-\d+)?\b/g, 'MS')
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, 'UUID')
    .replaceAll(/\b[0-9a-f]{8}\b/g, 'NONCE');
  return JSON.parse(text);
}
