import type { Config } from '../config/environment.ts';
import { peerVariable } from '../config/other-swarms.ts';
import { forSwarm } from '../config/redis-servers.ts';
import { configSecrets } from '../config/redact.ts';
import { RedisUnusableError, SwarmRefusedError, toMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { connectRedis } from '../redis/connect.ts';
import { createDb, type Db } from '../redis/db.ts';
import { ENOUGH_RIGHTS, OTHER_REDIS } from '../redis/errors/failures.ts';
import { toRedisError } from '../redis/errors/redis-errors.ts';
import { createStateNote } from './states.ts';
import { requireShared } from './sharing.ts';
import type { OtherSwarm, OtherSwarms } from './types.ts';

/** How long a permission counts that was read. A swarm that shares no longer is read at most this long. */
const CHECK_EVERY_MS = 3_000;
/** A swarm that was refused is looked at again only after this long: a query must not wait for each try. */
const TRY_AGAIN_MS = 2_000;
/** Longest wait for the answer whether another swarm may be read: its Redis may hang. */
const OPEN_WITHIN_MS = 3_000;
/** Longest read of another swarm. */
const READ_WITHIN_MS = 10_000;

/** The rights of a Redis user that are enough to read a swarm; `~*` can be narrowed to its keys. */
const READ_RIGHTS = '~* resetchannels +@read +@connection +info +time +multi +exec +discard';

/** What this process knows of one other swarm. */
interface Known {
  db: Db | null;
  /** The last check: of `performance.now()`. */
  checkedAt: number;
  outcome: OtherSwarm | SwarmRefusedError | null;
  checking: Promise<OtherSwarm> | null;
}

/**
 * Makes the other swarms of `FLEET_READ_SWARMS` readable. Opens nothing until one is asked for; each has one connection, which only
 * reads, is closed by `close`, and connects again by itself.
 * @param parts.db of this swarm: it keeps what was last found of each, for `fleet status`
 */
export function openOtherSwarms(parts: { config: Config; db: Db; log?: Pick<Logger, 'warn' | 'info'> }): OtherSwarms {
  const { config, db: own, log } = parts;
  const names = config.FLEET_READ_SWARMS;
  const known = new Map<string, Known>();
  const noteState = createStateNote(own, log);
  let isClosed = false;

  async function check(name: string, entry: Known): Promise<OtherSwarm> {
    const url = toUrl(config, name);
    try {
      const kind = await within(OPEN_WITHIN_MS, async () => {
        entry.db ??= await connect(config, { name, url });
        return requireShared(entry.db, own.keys.swarm);
      });
      if (entry.db === null || isClosed) throw new Error('this process goes away');
      return { name, db: entry.db, url, isSimulated: kind === 'simulated' };
    } catch (error) {
      throw error instanceof SwarmRefusedError
        ? error
        : toUnreachable(name, { url, isElsewhere: name in config.peers, error });
    }
  }

  async function checkAndNote(name: string, entry: Known): Promise<OtherSwarm> {
    try {
      const swarm = await check(name, entry);
      entry.outcome = swarm;
      await noteState({ name, refused: null, kind: swarm.isSimulated ? 'simulated' : 'real' });
      return swarm;
    } catch (error) {
      if (!(error instanceof SwarmRefusedError)) throw error;
      entry.outcome = error;
      await noteState({ name, refused: { reason: error.reason, message: error.message }, kind: null });
      throw error;
    } finally {
      entry.checkedAt = performance.now();
      entry.checking = null;
    }
  }

  async function open(name: string): Promise<OtherSwarm> {
    if (!names.includes(name)) throw toNotRead(name, names);
    const entry = known.get(name) ?? { db: null, checkedAt: 0, outcome: null, checking: null };
    known.set(name, entry);
    const sinceMs = performance.now() - entry.checkedAt;
    const { outcome } = entry;
    if (outcome instanceof SwarmRefusedError && sinceMs < TRY_AGAIN_MS) throw outcome;
    if (outcome !== null && !(outcome instanceof SwarmRefusedError) && sinceMs < CHECK_EVERY_MS) return outcome;
    return (entry.checking ??= checkAndNote(name, entry));
  }

  return {
    names: () => [...names],
    open,
    async read(name, work, { withinMs = READ_WITHIN_MS } = {}) {
      const swarm = await open(name);
      try {
        return await within(withinMs, () => work(swarm));
      } catch (error) {
        if (!isOfRedis(error, swarm.url)) throw error;
        const refused = toUnreachable(name, { url: swarm.url, isElsewhere: name in config.peers, error });
        const entry = known.get(name);
        if (entry !== undefined) Object.assign(entry, { outcome: refused, checkedAt: performance.now() });
        await noteState({ name, refused: { reason: refused.reason, message: refused.message }, kind: null });
        throw refused;
      }
    },
    async close() {
      isClosed = true;
      await Promise.allSettled([...known.values()].flatMap(({ checking }) => checking ?? []));
      for (const { db } of known.values()) db?.redis.disconnect();
    },
  };
}

/** Whether the other Redis failed, and not the work. */
function isOfRedis(error: unknown, url: string): boolean {
  return error instanceof RedisUnusableError || toRedisError(error, url) !== error;
}

/** The address of another swarm's Redis: its own, or else this swarm's. */
function toUrl(config: Config, name: string): string {
  const url = config.peers[name] ?? config.REDIS_URL;
  return forSwarm(url, name === 'fleet' ? undefined : name);
}

async function connect(config: Config, { name, url }: { name: string; url: string }): Promise<Db> {
  const redis = await connectRedis(url, {
    role: 'producer',
    readOnly: true,
    name: `fleet-reads-${name}`,
    secrets: configSecrets(config),
  });
  return createDb(redis, name === 'fleet' ? null : name);
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function toNotRead(name: string, names: readonly string[]): SwarmRefusedError {
  const read = names.length === 0 ? 'no other swarm' : names.join(', ');
  return new SwarmRefusedError(
    name,
    'not-read-here',
    `swarm ${name} is not read here: FLEET_READ_SWARMS names ${read}; add ${name}, and FLEET_SHARE_WITH there must name this swarm`,
  );
}

function toUnreachable(
  name: string,
  { url, isElsewhere, error }: { url: string; isElsewhere: boolean; error: unknown },
): SwarmRefusedError {
  const reason = toMessage(toRedisError(error, url))
    .replace(`; ${OTHER_REDIS}`, '')
    .replace(ENOUGH_RIGHTS, READ_RIGHTS)
    .replaceAll('REDIS_URL', isElsewhere ? peerVariable(name) : 'REDIS_URL');
  return new SwarmRefusedError(name, 'unreachable', `swarm ${name} cannot be read: ${reason}`, { cause: error });
}
