import { randomBytes } from 'node:crypto';
import { toOwner, type Owner } from '../../queues/owner.ts';
import { requireShards, type Config } from '../config/environment.ts';
import { configSecrets } from '../config/redact.ts';
import type { ShardConfig } from '../config/shards.ts';
import { PaidCalls } from '../ledger/calls/paid-calls.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { JobIdentity } from '../ledger/types.ts';
import type { ArchiveModel, ArchiveReply } from '../models/archive-model.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { createLogger } from '../process/logger.ts';
import { connectRedis } from '../redis/connect.ts';
import { createDb } from '../redis/db.ts';
import { createRateGate } from './gate/rate-gate.ts';
import { testShard, type ShardTest } from './shard-test.ts';

export interface ShardTestParts extends Owner {
  session: string;
  forShard: (shard: ShardConfig) => ArchiveModel;
  /**
   * Name of a test that begins again after a crash: a shard that answered under this name is judged by its stored
   * reply. Replies are kept for a day. Absent: a test that is run once.
   */
  name?: string;
  /** The mission whose budget pays; absent: the day's budget alone. */
  missionId?: string;
  /** Asks the shards too that failures closed, because a person repaired them. Default false. */
  reopen?: boolean;
}

/** How long the replies of a named test are stored. */
const KEEP_SECONDS = 24 * 3600;

/**
 * Tests every shard with one small query, all at once.
 * @param config with its tiers known
 * @throws ConfigError without shards, HaltError, BudgetReachedError
 */
export async function testShards(config: Config, parts: ShardTestParts): Promise<ShardTest[]> {
  const { forShard, name, reopen = false } = parts;
  const shards = requireShards(config);
  const log = createLogger('shards', config.FLEET_LOG_LEVEL === 'silent' ? 'silent' : 'error');
  const redis = await connectRedis(config.REDIS_URL, {
    role: 'producer',
    name: 'fleet-shards',
    secrets: configSecrets(config),
  });
  const db = createDb(redis, config.FLEET_SWARM ?? null);
  const gate = createRateGate({ db, shards, log });
  const workerId = `shards-test-${process.pid}`;
  const ledger = createTurnLedger({ db, workerId, queue: 'archive', apart: 'archive' });
  const entry = catalogOf(config).find(config.FLEET_GEMINI_MODEL, new Date());

  async function test(shard: ShardConfig): Promise<ShardTest> {
    const { signal } = new AbortController(); // never fires: the gate and the model have deadlines of their own
    const jobId = name === undefined ? `shard-test-${randomBytes(6).toString('hex')}` : `${name}-${shard.number}`;
    const identity = toIdentity(jobId, parts);
    const calls = new PaidCalls<ArchiveReply>({ ledger, identity, signal, isDraining: () => false });
    const others = shards.filter((other) => other !== shard).map((other) => other.number);
    const payer = { entry, free: shard.tier === 'free' };
    try {
      return await testShard(gate, { shard, others, model: forShard(shard), payer, calls, reopen }, signal);
    } finally {
      if (name === undefined) await redis.del(db.keys.turns(jobId)); // no later run reads it
      else await redis.expire(db.keys.turns(jobId), KEEP_SECONDS);
    }
  }

  try {
    return await Promise.all(shards.map((shard) => test(shard)));
  } finally {
    await gate.close();
    await redis.quit();
  }
}

function toIdentity(jobId: string, { session, missionId, ...owner }: ShardTestParts): JobIdentity {
  return {
    jobId,
    token: '', // no lock: no other process can have this job
    attempt: 0,
    digest: '',
    findingId: jobId,
    session,
    batch: null,
    missionId: missionId ?? null,
    ...toOwner(owner),
    budgetNanoUsd: null,
  };
}
