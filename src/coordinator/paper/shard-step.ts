import { randomBytes } from 'node:crypto';
import { ConfigError, RedisUnusableError, toMessage } from '../../errors.ts';
import { createFinding } from '../../findings/create-finding.ts';
import { SHARD_TEST_KIND, toFindingId, type Finding } from '../../findings/finding.ts';
import { noteFinding } from '../../findings/store.ts';
import { readShardStates } from '../../librarian/gate/shard-states.ts';
import type { ShardTest } from '../../librarian/shard-test.ts';
import { testShards } from '../../librarian/test-shards.ts';
import type { StepContext } from '../step/types.ts';
import { savePaper, type PaperRecord } from './record.ts';
import type { ShardOutcome, ShardReport } from './types.ts';
import { blockPaper } from './block-paper.ts';

/** With fewer shards than this working a paper is refused. Source: SPEC, "Papers". */
const FEWEST_PERCENT = 80;

/**
 * Tests every shard with a real query and Redis with a round trip, stores both as a finding, and ends the run where a shard
 * fails and nobody has said to go on without it.
 */
export async function passShardTest(ctx: StepContext, paper: PaperRecord): Promise<ShardReport> {
  const report = paper.shards ?? (await testAll(ctx, paper.tries['shards'] ?? 0));
  const failing = report.shards.filter(({ ok }) => !ok);
  if (failing.length === 0 && report.shards.length > 0) return report;
  const working = report.shards.length - failing.length;
  const belowShare = working === 0 || 100 * working < FEWEST_PERCENT * report.shards.length; // whole numbers: 28 of 35 are 80 %
  if (!belowShare && (paper.acceptShards || ctx.data.paper?.accept_shards === true)) return report;
  return blockPaper(ctx, { step: 'shards', reason: 'shards', detail: describeReport(report), belowShare });
}

/** One shard that stopped working since the test, though no query of this paper met it; null: none. */
export async function findRefusedShard(ctx: StepContext, report: ShardReport): Promise<string | null> {
  const working = new Set(report.shards.filter(({ ok }) => ok).map(({ shard }) => shard));
  const states = await readShardStates(ctx.db, ctx.config.shards);
  const refused = states.find(({ shard, state }) => state === 'refused' && working.has(shard));
  return refused === undefined
    ? null
    : `shard ${refused.shard} failed: ${refused.lastError?.message ?? 'its key is refused'}`;
}

async function testAll(ctx: StepContext, tries: number): Promise<ShardReport> {
  const { db, id, config, session } = ctx;
  const roundTripMs = await measureRoundTrip(ctx);
  const tests = config.shards.length === 0 ? [] : await runTest(ctx, `${id}-shards-${tries}`);
  const states = await readShardStates(db, config.shards);
  const shards = tests.map(({ shard, ok, ms, problem }): ShardOutcome => {
    const left = states.find((state) => state.shard === shard)?.left ?? 0;
    return { shard, ok, ms: ms === null ? null : Math.round(ms), problem, left };
  });
  const findingId = toFindingId(`${id}-shards-${tries}`);
  const report: ShardReport = { at: ctx.now().toISOString(), shards, roundTripMs, findingId };
  await noteFinding(db, toShardFinding(ctx, report, session));
  await savePaper(db, id, { shards: report });
  await ctx.note(`shards tested: ${describeReport(report)}`);
  return report;
}

async function runTest(ctx: StepContext, name: string): Promise<ShardTest[]> {
  const { createArchiveModels } = await import('../../models/create/archive-models.ts'); // a coordinator without papers needs no such SDK
  const models = await createArchiveModels(ctx.config);
  try {
    const { forShard } = models;
    return await testShards(ctx.config, { session: ctx.session, forShard, name, missionId: ctx.id, reopen: true });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error; // a tier that nobody gave, say: for the person to mend
    const problem = toMessage(error);
    return ctx.config.shards.map(({ number }) => ({ shard: number, ok: false, ms: null, costNanoUsd: 0, problem }));
  } finally {
    await models.close();
  }
}

/** What is written must come back, before anything is built on it. @throws RedisUnusableError */
async function measureRoundTrip({ db: { redis, keys }, id }: StepContext): Promise<number> {
  const written = randomBytes(8).toString('hex');
  const began = performance.now();
  await redis.hset(keys.paper(id), 'round_trip', written);
  const read = await redis.hget(keys.paper(id), 'round_trip');
  if (read !== written) {
    throw new RedisUnusableError(
      `Redis gave back ${JSON.stringify(read)} for ${JSON.stringify(written)}: no paper is written on it`,
    );
  }
  return Number((performance.now() - began).toFixed(2));
}

function toShardFinding(ctx: StepContext, report: ShardReport, session: string): Finding {
  const summary = `Shard test before paper ${ctx.id}: ${describeReport(report)}`;
  return createFinding({
    identity: { findingId: report.findingId, jobId: ctx.id, session, batch: null, missionId: ctx.id },
    workerId: ctx.workerId,
    at: report.at,
    task: `Test every shard before paper ${ctx.id}`,
    result: {
      summary,
      shards: report.shards.map((shard) => ({ ...shard })),
      redis_round_trip_ms: report.roundTripMs,
    },
    summary: summary.slice(0, 200),
    kind: SHARD_TEST_KIND,
    model: { id: ctx.config.FLEET_GEMINI_MODEL, vendor: 'google' },
    promptVersion: 'shard-test-1',
    // No totals: the ledger books its calls to the mission.
  });
}

/** `4 of 5 shards work; S3: API key not valid`. */
export function describeReport({ shards }: ShardReport): string {
  if (shards.length === 0) return 'no shard is configured (GEMINI_API_KEY_SHARD1)';
  const failing = shards.filter(({ ok }) => !ok).map(({ shard, problem }) => `S${shard}: ${problem ?? 'no answer'}`);
  const working = `${shards.length - failing.length} of ${shards.length} shards work`;
  return [working, ...failing].join('; ');
}
