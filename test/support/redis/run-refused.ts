import type { Redis } from 'ioredis';
import { createDb, type Db } from '../../../src/redis/db.ts';
import type { ScriptName } from '../../../src/redis/scripts.ts';
import { readKeys } from './read-everything.ts';
import type { TwiceScenario } from './run-twice.ts';

/** Something that makes Redis refuse commands of a script. */
interface Harm {
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

interface Refused {
  /** How many runs of the script were refused. */
  runs: number;
  /** Names of the keys that a refused run has changed all the same. */
  changed: string[];
  /** What the caller got in the end. */
  result: unknown;
}

/**
 * Does a scenario in a swarm of its own. Each run of its script meets a harm, which then ends; a run that was refused is repeated,
 * as a caller does.
 * @param options.caller sends the script; a worker's connection would wait for the end of the harm
 * @param options.toHarm from the keys of a run; null: none
 */
export async function runRefused(
  admin: Redis,
  script: ScriptName,
  scenario: TwiceScenario,
  options: { caller: Redis; swarm: string; toHarm(keys: string[]): Harm | null },
): Promise<Refused> {
  const { caller, swarm, toHarm } = options;
  const db = createDb(caller, swarm);
  const found: Refused = { runs: 0, changed: [], result: null };
  const call = Reflect.get(db.scripts, script) as (...args: unknown[]) => Promise<unknown>;
  let last: Promise<unknown> = Promise.resolve();

  /** One run after the other: a harm meets one run alone, and no other run changes a key meanwhile. */
  function inTurn(...args: unknown[]): Promise<unknown> {
    const run = last.then(() => harmed(...args));
    last = run.catch(() => undefined);
    return run;
  }

  async function harmed(...args: unknown[]): Promise<unknown> {
    const harm = toHarm(toKeys(args));
    if (harm === null) return call(...args);
    await harm.begin();
    const before = await dumpAll(admin, swarm);
    const answer = await call(...args).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    const after = await dumpAll(admin, swarm);
    await harm.end();
    if ('value' in answer) return answer.value;
    found.runs += 1;
    found.changed.push(...[...before.keys(), ...after.keys()].filter((key) => before.get(key) !== after.get(key)));
    return call(...args);
  }

  const refused: Db = { ...db, scripts: { ...db.scripts, [script]: inTurn } };
  found.result = await scenario.run(createDb(admin, swarm), refused);
  return found;
}

/** The keys of a call: by name, or of a group of jobs. */
function toKeys(args: unknown[]): string[] {
  const [first, second] = args as [object, object | undefined];
  const named = 'fields' in first ? [Reflect.get(first, 'keys'), Reflect.get(second ?? {}, 'keys')] : [first];
  return named.flatMap((keys) => Object.values(keys as object).flat()).filter((key) => typeof key === 'string');
}

/** What each key holds, as text. Not as of DUMP: a large hash lists its fields in another order once it is rehashed. */
async function dumpAll(redis: Redis, swarm: string): Promise<Map<string, string>> {
  const all = Object.entries(await readKeys(redis, `{${swarm}}:*`));
  return new Map(all.map(([key, value]) => [key, JSON.stringify(toSorted(value))]));
}

function toSorted(value: unknown): unknown {
  const isHash = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isHash ? Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)) : value;
}
