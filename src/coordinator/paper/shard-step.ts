import { randomBytes } from 'node:crypto';
import { toOwner } from '../../../queues/owner.ts';
import type { Config } from '../../config/environment.ts';
import { ConfigError, RedisUnusableError, toMessage } from '../../errors.ts';
import { createFinding } from '../../findings/create-finding.ts';
import { SHARD_TEST_KIND, toFindingId, type Finding } from '../../findings/finding.ts';
import { noteFinding } from '../../findings/store.ts';
import { readShardStates } from '../../librarian/gate/shard-states.ts';
import type { ShardTest } from '../../librarian/shard-test.ts';
import { testShards } from '../../librarian/test-shards.ts';
import type { Db } from '../../redis/db.ts';
import type { MissionRun } from '../step/run.ts';
import type { Mission } from '../step/types.ts';
import { describeReport } from './assemble.ts';
import { blockPaper, type BlockRun } from './block-paper.ts';
import { savePaper, type PaperRecord } from './record.ts';
import type { ShardOutcome, ShardReport } from './types.ts';
import { startOf } from '../../text/start-of.ts';

/** With a smaller share of working shards a paper is refused. Source: SPEC, "Papers". */
const FEWEST_PERCENT = 80;

/**
 * Tests every shard with a real query and Redis with a round trip, and stores both as a finding. Blocks the paper if a
 * shard fails and no person has accepted that.
 */
export async function passShardTest(
  run: BlockRun & Pick<MissionRun, 'config'>,
  paper: PaperRecord,
): Promise<ShardReport> {
  const report = paper.shards ?? (await testAll(run, paper.tries['shards'] ?? 0));
  const failing = report.shards.filter(({ ok }) => !ok);
  if (failing.length === 0 && report.shards.length > 0) return report;
  const working = report.shards.length - failing.length;
  const belowShare = working === 0 || 100 * working < FEWEST_PERCENT * report.shards.length; // whole numbers: 28 of 35 are 80 %
  if (!belowShare && (paper.acceptShards || run.mission.data.paper?.accept_shards === true)) return report;
  return blockPaper(run, { step: 'shards', reason: 'shards', detail: describeReport(report), belowShare });
}

/** A shard that has been refused since the test, in a call of any process; null: none. */
export async function findRefusedShard(
  db: Db,
  config: Pick<Config, 'shards'>,
  report: ShardReport,
): Promise<string | null> {
  const working = new Set(report.shards.filter(({ ok }) => ok).map(({ shard }) => shard));
  const states = await readShardStates(db, config.shards);
  const refused = states.find(({ shard, state }) => state === 'refused' && working.has(shard));
  return refused === undefined
    ? null
    : `shard ${refused.shard} failed: ${refused.lastError?.message ?? 'its key is refused'}`;
}

async function testAll(
  run: Pick<MissionRun, 'db' | 'config' | 'workerId' | 'now' | 'mission' | 'job'>,
  tries: number,
): Promise<ShardReport> {
  const { db, config, mission } = run;
  const name = `${mission.id}-shards-${tries}`;
  const roundTripMs = await measureRoundTrip(db, mission.id);
  const tests = config.shards.length === 0 ? [] : await runTest(config, mission, name);
  const states = await readShardStates(db, config.shards);
  const shards = tests.map(({ shard, ok, ms, problem }): ShardOutcome => {
    const left = states.find((state) => state.shard === shard)?.left ?? 0;
    return { shard, ok, ms: ms === null ? null : Math.round(ms), problem, left };
  });
  const report: ShardReport = { at: run.now().toISOString(), shards, roundTripMs, findingId: toFindingId(name) };
  await noteFinding(db, toShardFinding(run, report));
  await savePaper(db, mission.id, { shards: report });
  await run.job.log(`shards tested: ${describeReport(report)}`);
  return report;
}

/** @param name of the test's calls: a shard that has answered under this name is not asked again */
async function runTest(config: Config, { id, session, data }: Mission, name: string): Promise<ShardTest[]> {
  const { createArchiveModels } = await import('../../models/create/archive-models.ts'); // only papers need this SDK
  const models = await createArchiveModels(config);
  try {
    const { forShard } = models;
    return await testShards(config, { session, forShard, name, missionId: id, ...toOwner(data), reopen: true });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error; // for example a missing tier: the person has to set it
    const problem = toMessage(error);
    return config.shards.map(({ number }) => ({ shard: number, ok: false, ms: null, costNanoUsd: 0, problem }));
  } finally {
    await models.close();
  }
}

/** Writes a value and reads it back. @returns ms @throws RedisUnusableError if Redis returns another value */
async function measureRoundTrip({ redis, keys }: Db, id: string): Promise<number> {
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

function toShardFinding(
  { mission, config, workerId }: Pick<MissionRun, 'mission' | 'config' | 'workerId'>,
  report: ShardReport,
): Finding {
  const { id, session, data } = mission;
  const summary = `Shard test before paper ${id}: ${describeReport(report)}`;
  return createFinding({
    identity: { findingId: report.findingId, jobId: id, session, batch: null, missionId: id, ...toOwner(data) },
    workerId,
    storedAt: report.at,
    task: `Test every shard before paper ${id}`,
    result: {
      summary,
      shards: report.shards.map((shard) => ({ ...shard })),
      redis_round_trip_ms: report.roundTripMs,
    },
    summary: startOf(summary, 200),
    kind: SHARD_TEST_KIND,
    model: { id: config.FLEET_GEMINI_MODEL, vendor: 'google' },
    promptVersion: 'shard-test-1',
    // No totals: the ledger books its calls to the mission.
  });
}
