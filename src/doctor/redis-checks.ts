import { isOffline, type Config } from '../config/environment.ts';
import { toMessage } from '../errors.ts';
import { redisAddress } from '../config/redis-url.ts';
import type { Db } from '../redis/db.ts';
import { readRedisFacts, runPreflight, type RedisFacts } from '../redis/preflight.ts';
import { withRedisErrors } from '../redis/errors/redis-errors.ts';
import { ENOUGH_RIGHTS } from '../redis/errors/failures.ts';
import { attempt, attemptAll, unwell, well, type CheckResult } from './check.ts';
import { readDamagedKeys } from '../swarm/damage/damaged-keys.ts';
import { listVendors } from '../status/read/spend.ts';
import { describeForeign, readForeignKeys } from '../swarm/damage/foreign-keys.ts';

/** Share of the memory limit at which the fleet halts. */
const MEMORY_LIMIT = 0.8;
const ROUNDS = 20;

/** All checks of a Redis that answers. */
export async function checkRedis(db: Db, config: Config): Promise<CheckResult[]> {
  const { redis } = db;
  const facts = await readRedisFacts(redis);
  return [
    await attempt('Redis', 'see the line above', async () => {
      await withRedisErrors(config.REDIS_URL, () => runPreflight(db));
      return well('Redis', `${facts.version} at ${redisAddress(config.REDIS_URL)}`);
    }).then((result) => (result.ok ? result : toPreflightFix(result, facts))),
    ...(await attemptAll('rights', 'mend the lines above first', () => checkRights(db))),
    checkAppendOnly(facts),
    checkMemory(facts),
    await attempt('round trips', 'mend the lines above first', () => checkSpeed(db)),
    await checkKind(db, config),
    await attempt('public keys', 'mend the lines above first', () => checkPublicKeys(db, config)),
    await attempt('private keys', 'mend the lines above first', () => checkPrivateKeys(db)),
  ];
}

/** Commands of each kind that the fleet and BullMQ use. A user who may use these may use the others that they need. */
const NEEDED = [
  'get x',
  'set x 1',
  'del x',
  'exists x',
  'expire x 1',
  'rename x x',
  'hset x f 1',
  'hgetall x',
  'lpush x 1',
  'rpoplpush x x',
  'sadd x 1',
  'zadd x 1 m',
  'bzpopmin x 1',
  'xadd x * f 1',
  'xread STREAMS x 0',
  'scan 0',
  'publish x 1',
  'subscribe x',
  'multi',
  'exec',
  'eval x 0',
  'evalsha x 0',
  'time',
  'info',
  'client|setname x',
];
const ASK_RIGHTS = `
if not redis.acl_check_cmd then return false end
local missing = {}
for _, command in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(command, '%S+') do words[#words + 1] = word == 'x' and KEYS[1] or word end
  if words[1] == 'client|setname' then words[1] = 'client'; table.insert(words, 2, 'setname') end
  local known, may = pcall(redis.acl_check_cmd, unpack(words))
  if known and not may then missing[#missing + 1] = string.match(command, '%S+') end
end
return missing`;

/** Whether Redis lets this user do all that the fleet needs; nothing where Redis, older than 7, does not tell. */
async function checkRights({ redis, keys }: Db): Promise<CheckResult[]> {
  const missing = (await redis.eval(ASK_RIGHTS, 1, keys.preflight, ...NEEDED)) as string[] | null;
  if (missing === null) return [];
  if (missing.length === 0) return [well('rights', 'all that the fleet needs')];
  const seen = `the user of REDIS_URL may not use ${missing.join(', ')}`;
  return [unwell('rights', seen, `its administrator: ACL SETUSER <user> ${ENOUGH_RIGHTS}`)];
}

function toPreflightFix(result: CheckResult, facts: RedisFacts): CheckResult {
  const policy = facts.evictionPolicy !== null && facts.evictionPolicy !== 'noeviction';
  return {
    ...result,
    fix: policy
      ? 'redis-cli CONFIG SET maxmemory-policy noeviction'
      : 'mend what it says, use another Redis, or: fleet up --embedded',
  };
}

function checkAppendOnly({ appendOnly }: RedisFacts): CheckResult {
  if (appendOnly === null) return well('append-only file', 'Redis does not tell');
  if (appendOnly) return well('append-only file', 'on: a crash of Redis loses a second at most');
  return unwell('append-only file', 'off: a crash of Redis loses what it held', 'redis-cli CONFIG SET appendonly yes');
}

function checkMemory({ usedMemoryBytes, maxMemoryBytes }: RedisFacts): CheckResult {
  const used = `${toMegabytes(usedMemoryBytes)} used`;
  if (maxMemoryBytes === 0) return well('memory', `${used}, no limit`);
  const seen = `${used} of ${toMegabytes(maxMemoryBytes)}`;
  if (usedMemoryBytes < MEMORY_LIMIT * maxMemoryBytes) return well('memory', seen);
  return unwell('memory', `${seen}: the fleet halts at 80 %`, 'raise maxmemory of Redis');
}

async function checkSpeed({ redis, keys }: Db): Promise<CheckResult> {
  const ping = await measure(() => redis.ping());
  const set = await measure(() => redis.set(keys.preflight, '1', 'EX', 60));
  const get = await measure(() => redis.get(keys.preflight));
  return well('round trips', `PING ${ping} ms, SET ${set} ms, GET ${get} ms (medians of ${ROUNDS})`);
}

async function checkKind({ redis, keys }: Db, config: Config): Promise<CheckResult> {
  try {
    const kind = await redis.hget(keys.swarmMark, 'kind');
    const own = isOffline(config) ? 'simulated' : 'real';
    if (kind === null) return well(`swarm ${keys.swarm}`, `new; its first process makes it ${own} for life`);
    if (kind === own) return well(`swarm ${keys.swarm}`, kind);
    return unwell(
      `swarm ${keys.swarm}`,
      `holds ${kind} work, this configuration is ${own}`,
      'set FLEET_SWARM to another name',
    );
  } catch (error) {
    return unwell(
      `swarm ${keys.swarm}`,
      toMessage(error),
      'its private keys hold something else; choose another FLEET_SWARM',
    );
  }
}

/** What other programs stored in public keys of the fleet. */
async function checkPublicKeys(db: Db, config: Config): Promise<CheckResult> {
  const foreign = await readForeignKeys(db, {
    shards: config.shards.map(({ number }) => number),
    vendors: await readVendors(db),
  });
  if (foreign.length === 0) return well('public keys', 'hold what they should');
  const commands = foreign.map(({ command }) => command).join('; ');
  return unwell(
    'public keys',
    foreign.map(describeForeign).join('; '),
    `another program's: yours to remove: ${commands}`,
  );
}

/** Another type than a hash is damage of its own (`readDamagedKeys`). */
async function readVendors({ redis, keys }: Db): Promise<string[]> {
  const isWell = (await redis.type(keys.booked)) === 'hash';
  return listVendors(isWell ? await redis.hgetall(keys.booked) : {}, {});
}

/** What a mistake of a person or another program left in keys of the fleet's own. */
async function checkPrivateKeys(db: Db): Promise<CheckResult> {
  const session = await db.redis.hget(db.keys.session, 'name').catch(() => null);
  const damaged = await readDamagedKeys(db, session);
  if (damaged.length === 0) return well('private keys', 'hold what they should');
  const commands = damaged.map(({ command }) => command).join('; ');
  return unwell('private keys', damaged.map(describeForeign).join('; '), `set aside or mend: ${commands}`);
}

async function measure(command: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    await command();
    times.push(performance.now() - start);
  }
  return (times.toSorted((a, b) => a - b)[ROUNDS / 2] ?? 0).toFixed(2);
}

function toMegabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
