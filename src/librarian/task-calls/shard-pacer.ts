import { type Config, requireShards } from '../../config/environment.ts';
import { ConfigError, TaskFailedError } from '../../errors.ts';
import { isOnShards } from '../../models/create/on-shards.ts';
import type { Pacer } from '../../pacing/types.ts';
import { catalogOf } from '../../pricing/catalog.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { pacificDay, type DayClock } from '../gate/pacific-day.ts';
import { createRateGate } from '../gate/rate-gate.ts';
import { toKeyDigest } from '../gate/shard-project.ts';
import type { RateGate } from '../gate/types.ts';
import { keepShardKeys } from '../opening/shard-keys.ts';
import { ShardRun } from './shard-run.ts';

export interface ShardPacerParts {
  config: Config;
  db: Db;
  workerId: string;
  /** Of all other models. */
  others: Pacer;
  log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  notifier?: Notifier | undefined;
  /** Default: the days of Gemini's quota. */
  dayAt?: DayClock;
}

/**
 * Keeps the quota of the shards for the calls of tasks and missions, together with the librarians, and leaves the other models to
 * their own pacer. It opens nothing before the first call of a model that is on the shards.
 */
export function createShardPacer(parts: ShardPacerParts): Pacer {
  const { config, others, db } = parts;
  const { shards } = config;
  if (shards.length === 0) return others;
  const known = new Map<string, boolean>();
  let opening: Promise<OpenGate> | null = null;

  function isKnownOnShards(model: string): boolean {
    let found = known.get(model);
    if (found === undefined) {
      found = isOnShards(catalogOf(config).findPrices(model, db.clock.date()));
      known.set(model, found);
    }
    return found;
  }

  const shared = {
    isOnShards: isKnownOnShards,
    async openGate() {
      opening ??= openGate(parts);
      try {
        return (await opening).gate;
      } catch (error) {
        opening = null; // the next call tries again
        throw error;
      }
    },
    free: new Set(shards.flatMap(({ number, tier }) => (tier === 'free' ? [number] : []))),
    shardCount: shards.length,
  };
  return {
    enter: (options) => new ShardRun(shared, others.enter(options)),
    async close() {
      await others.close();
      await (await opening?.catch(() => null))?.close();
    },
  };
}

interface OpenGate {
  gate: RateGate;
  close(): Promise<void>;
}

async function openGate({
  config,
  db,
  workerId,
  log,
  notifier,
  dayAt = pacificDay,
}: ShardPacerParts): Promise<OpenGate> {
  const shards = requireTiers(config);
  const keyed = shards.map((shard) => ({ ...shard, keyDigest: toKeyDigest(shard.apiKey) }));
  const stopKeys = await keepShardKeys({ db, workerId, shards, log, dayAt });
  const pacing = config.GEMINI_PACING === '1';
  const gate = createRateGate({ db, shards: keyed, log, dayAt, pacing, ...(notifier && { notifier }) });
  return {
    gate,
    async close() {
      await gate.close();
      await stopKeys();
    },
  };
}

/** @throws TaskFailedError in the words of the configuration, for a shard without a tier */
function requireTiers(config: Config): ReturnType<typeof requireShards> {
  try {
    return requireShards(config);
  } catch (error) {
    if (error instanceof ConfigError) throw new TaskFailedError('model', error.message, { cause: error });
    throw error;
  }
}
