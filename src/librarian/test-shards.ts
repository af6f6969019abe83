import { randomBytes } from 'node:crypto';
import { requireShards, type Config } from '../config/environment.ts';
import { AccountRefusedError, QuotaError, toMessage } from '../errors.ts';
import { PaidCalls, type PaidReply, type Payer } from '../ledger/paid-calls.ts';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import { toPromptTokens } from '../pricing/tokens.ts';
import { createLogger } from '../process/logger.ts';
import type { ArchiveModel, ArchiveReply } from '../models/archive-model.ts';
import { findModel } from '../pricing/catalog.ts';
import { connectRedis } from '../redis/connect.ts';
import { createDb } from '../redis/db.ts';
import type { ShardConfig } from '../config/shards.ts';
import { createRateGate } from './gate/rate-gate.ts';
import { REPLY_SCHEMA, SYSTEM, toPrompt } from './answer/prompt.ts';
import { QUERY_TURN } from './answer/shard-router.ts';
import type { Permit, RateGate } from './gate/types.ts';
import { toAnswer } from './answer/reply.ts';

/** How one shard did with one real query. */
export interface ShardTest {
  shard: number;
  ok: boolean;
  /** From sending to the whole reply, ms; null where nothing was sent. */
  ms: number | null;
  /** Nano-dollars; 0 on a free shard. */
  costNanoUsd: number;
  /** Null where it is well. */
  problem: string | null;
}

const FINDING_ID = 'finding_test';
const PROMPT = toPrompt(
  `<finding id="${FINDING_ID}" at="2026-01-01T00:00:00.000Z" session="test">\nThe harbour light is green.\n</finding>\n`,
  'What colour is the harbour light?',
);
const MAX_TOKENS = 512;
const TOKENS = Math.ceil((SYSTEM.length + PROMPT.length) / 4);

export interface ShardTestParts {
  session: string;
  forShard: (shard: ShardConfig) => ArchiveModel;
  /**
   * For a test that a crash may begin again: a shard that answered under this name answers from its stored reply. Replies
   * are kept for a day. Absent: a test of its own.
   */
  name?: string;
  /** Who pays; absent: the day alone. */
  missionId?: string;
  /** Asks shards too that are left alone because their calls failed: somebody says that they are mended. Default false. */
  reopen?: boolean;
}

/** Stored replies of a named test. */
const KEEP_SECONDS = 24 * 3600;

/**
 * Asks every shard one small question about a made-up finding, within its limits and booked like any other.
 * @param config with its tiers known
 * @throws ConfigError without shards, HaltError, BudgetReachedError
 */
export async function testShards(config: Config, parts: ShardTestParts): Promise<ShardTest[]> {
  const shards = requireShards(config);
  const log = createLogger('shards', config.FLEET_LOG_LEVEL === 'silent' ? 'silent' : 'error');
  const redis = await connectRedis(config.REDIS_URL, { role: 'producer', name: 'fleet-shards' });
  const db = createDb(redis, config.FLEET_SWARM ?? null);
  const gate = createRateGate({ db, shards, log });
  const workerId = `shards-test-${process.pid}`;
  const ledger = createTurnLedger({ db, workerId, now: () => new Date(), queue: 'archive' });
  const entry = findModel(config.FLEET_GEMINI_MODEL, new Date());
  const { signal } = new AbortController(); // never fires: the gate and the model have deadlines of their own
  try {
    return await Promise.all(
      shards.map(async (shard) => {
        const { name, missionId = null } = parts;
        const jobId = name === undefined ? `shard-test-${randomBytes(6).toString('hex')}` : `${name}-${shard.number}`;
        const calls = new PaidCalls<ArchiveReply>({
          ledger,
          identity: {
            jobId,
            token: '', // no lock: no other process can have this job
            attempt: 0,
            digest: '',
            findingId: jobId,
            session: parts.session,
            batch: null,
            missionId,
            budgetNanoUsd: null,
          },
          signal,
          isDraining: () => false,
        });
        try {
          const others = shards.filter((other) => other !== shard).map((other) => other.number);
          const payer = { entry, free: shard.tier === 'free' };
          return await testOne(shard, { gate, calls, signal, others, payer, ...parts });
        } finally {
          if (name === undefined) await redis.del(db.keys.turns(jobId)); // no later run reads it
          else await redis.expire(db.keys.turns(jobId), KEEP_SECONDS);
        }
      }),
    );
  } finally {
    await gate.close();
    await redis.quit();
  }
}

async function testOne(
  shard: ShardConfig,
  parts: {
    gate: RateGate;
    calls: PaidCalls<ArchiveReply>;
    signal: AbortSignal;
    others: number[];
    payer: Payer;
    forShard: (shard: ShardConfig) => ArchiveModel;
    reopen?: boolean;
  },
): Promise<ShardTest> {
  const { gate, calls, signal, others, payer, forShard, reopen = false } = parts;
  const { number } = shard;
  const ended = (problem: string | null, ms: number | null): ShardTest => ({
    shard: number,
    ok: problem === null,
    ms,
    costNanoUsd: calls.totals.nanoUsd,
    problem,
  });
  const judge = (reply: ArchiveReply, ms: number | null): ShardTest => {
    try {
      toAnswer(reply, new Set([FINDING_ID]));
      return ended(null, ms);
    } catch (thrown) {
      return ended(toMessage(thrown), ms);
    }
  };
  const stored = await calls.readStored(QUERY_TURN, payer);
  if (stored.kind === 'reply') return judge(JSON.parse(stored.json) as ArchiveReply, null);
  if (reopen) await gate.reportSuccess(number);
  const permit = await gate.acquire({ tokens: TOKENS, exclude: others }, { signal });
  if (permit.kind === 'too-large') return ended(`takes at most ${permit.limitTokens} tokens a minute`, null);
  if (permit.kind === 'wait') {
    return ended(`no room until ${new Date(permit.untilMs).toISOString()} (${permit.reason})`, null);
  }
  const bound = { inputTokensBound: Buffer.byteLength(SYSTEM + PROMPT), maxTokens: MAX_TOKENS };
  const reservation = await calls.reserve({ turn: QUERY_TURN, payer, bound });
  const startedAt = performance.now();
  let paid: PaidReply<ArchiveReply>;
  try {
    const request = { system: SYSTEM, prompt: PROMPT, maxTokens: MAX_TOKENS, responseSchema: REPLY_SCHEMA };
    paid = await reservation.send(() => forShard(shard).ask({ ...request, model: payer.entry.id }, { signal }));
  } catch (thrown) {
    await report(gate, permit, thrown);
    return ended(toMessage(thrown), performance.now() - startedAt);
  }
  const ms = performance.now() - startedAt;
  await calls.store(paid, { log: '', progress: null });
  await Promise.all([permit.settle(toPromptTokens(paid.reply.usage)), gate.reportSuccess(number)]);
  return judge(paid.reply, ms);
}

/** What a test finds out holds for all. */
async function report(gate: RateGate, permit: Permit, thrown: unknown): Promise<void> {
  await permit.settle(0);
  if (thrown instanceof QuotaError) return gate.report429(permit.shard, { ...thrown.quota, day: permit.day });
  const kind = thrown instanceof AccountRefusedError ? 'refused' : 'unavailable';
  return gate.reportFailure(permit.shard, { kind, message: toMessage(thrown) });
}
