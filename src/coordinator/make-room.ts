import { compactIfNeeded } from './compact/compact.ts';
import type { MissionParts } from './handler.ts';
import type { StepContext } from './step/types.ts';

/** While another process condenses, missions look again this often. */
const LOOK_AGAIN_MS = 5_000;

/** Has old findings condensed where there are too many of them, before a mission begins; no mission starts meanwhile. */
export async function makeRoom(ctx: StepContext, parts: MissionParts): Promise<void> {
  const { db, config, workerId, log, now, signal, isDraining } = ctx;
  const { redis, keys } = db;
  const outcome = await compactIfNeeded({
    db,
    ledger: parts.ledger,
    model: parts.model,
    modelId: config.FLEET_HAIKU_MODEL,
    currentSession: parts.currentSession,
    workerId,
    log,
    now,
    signal,
    isDraining,
    note: (line) => redis.rpush(keys.jobLogs('missions', ctx.id), line),
  });
  if (outcome !== 'busy') return;
  await ctx.count('waits_compaction');
  await ctx.comeBackLater(LOOK_AGAIN_MS, 'another process condenses old findings, and no mission starts meanwhile');
}
