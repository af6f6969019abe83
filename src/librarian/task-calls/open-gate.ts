import { type Config, requireShards } from '../../config/environment.ts';
import { ConfigError, TaskFailedError } from '../../errors.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { pacificDay, type DayClock } from '../gate/pacific-day.ts';
import { createRateGate } from '../gate/rate-gate.ts';
import { toKeyDigest } from '../gate/shard-project.ts';
import type { RateGate } from '../gate/types.ts';
import { keepShardKeys } from '../opening/shard-keys.ts';

export interface GateParts {
  config: Config;
  db: Db;
  workerId: string;
  log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  notifier?: Notifier | undefined;
  /** Default: the days of Gemini's quota. */
  dayAt?: DayClock;
}

export interface OpenGate {
  gate: RateGate;
  close(): Promise<void>;
}

/** Opens the rate gate of the shards. @throws TaskFailedError for a shard without a tier */
export async function openGate({
  config,
  db,
  workerId,
  log,
  notifier,
  dayAt = pacificDay,
}: GateParts): Promise<OpenGate> {
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
