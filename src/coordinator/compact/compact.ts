import { countOf } from '../../text/plural.ts';
import { groupFindings } from './groups.ts';
import { LIVE_LIMIT, type CompactOutcome, type CompactParts } from './types.ts';
import { takeCompactionTurn, type CompactionTurn } from './turn.ts';
import { compactGroup, nameGroup, type Group } from './compact-group.ts';
import { findCandidates } from './candidates.ts';
import type { StepContext } from '../step/types.ts';

/** Share of the limit that is made free at once, so that the next mission does not find the archive full again. */
const MARGIN = 0.1;
/** Findings looked at together: enough that sessions are whole, little enough for any memory. */
const ROUND = 1_000;
/** Summaries under way at a time. */
const AT_ONCE = 4;

/**
 * Condenses the oldest findings while there are more live ones than the limit, down to nine tenths of it. One process does
 * it at a time.
 *
 * Delivery contract: a process may die at any line. What is under way is in Redis; whoever comes next goes on with the
 * same groups and pays none of them again. A finding is live, or condensed with its original kept: never neither.
 * @throws whatever ends a paid call: halt, budget, a cooling model, a provider that is away, shutdown
 */
export async function compactIfNeeded(parts: CompactParts): Promise<CompactOutcome> {
  const { db, limit = LIVE_LIMIT } = parts;
  const { redis, keys } = db;
  const [live, begun] = await Promise.all([redis.zcard(keys.index), redis.hlen(keys.compactionPieces)]);
  if (live <= limit && begun === 0) {
    await redis.del(keys.compaction); // what it said of an archive too full is over
    return 'not-needed';
  }
  const turn = await takeCompactionTurn(db);
  if (turn === null) return 'busy';
  try {
    return await compact(parts, turn, live);
  } finally {
    await turn.release();
  }
}

async function compact(parts: CompactParts, turn: CompactionTurn, before: number): Promise<CompactOutcome> {
  const { note, now, limit = LIVE_LIMIT } = parts;
  const { redis, keys } = parts.db;
  const target = Math.floor(limit * (1 - MARGIN));
  const tally = { condensed: 0, summaries: 0, refused: 0 };
  let live = before;
  await note?.(`${now().toISOString()} ${countOf(live, 'live finding')}: the oldest are condensed down to ${target}`);
  await noteState(parts, { state: 'condensing', live, condensed: 0 });
  for (let open = await readOpen(parts); open.length > 0 || live > target; open = []) {
    const session = await parts.currentSession();
    const groups = open.length > 0 ? open : await plan(parts, session, live - target);
    if (groups.length === 0) break;
    if (!(await compactAll(parts, turn, groups, session, tally))) return 'busy';
    live = await redis.zcard(keys.index);
    await noteState(parts, { state: 'condensing', live, condensed: tally.condensed });
  }
  const said =
    tally.condensed === 0
      ? ''
      : `condensed ${countOf(tally.condensed, 'old finding')} into ${countOf(tally.summaries, 'summary', 'summaries')}; `;
  if (live <= limit) {
    await redis.del(keys.compaction);
    await note?.(`${now().toISOString()} ${said}${countOf(live, 'live finding')}`);
    return 'done';
  }
  const refused = await redis.zcard(keys.uncondensed);
  const why =
    refused === 0
      ? `all that is left belongs to the session in force (${await parts.currentSession()})`
      : `what is left belongs to the session in force (${await parts.currentSession()}), or no summary could be made of it (${countOf(refused, 'finding')}, tried again tomorrow)`;
  await noteState(parts, { state: 'stuck', live, condensed: tally.condensed, problem: why });
  await note?.(`${now().toISOString()} ${said}${countOf(live, 'live finding')}, more than ${limit}: ${why}`);
  return 'nothing-to-condense';
}

/** The groups of a compaction that did not end: first of all, for they may be paid for. */
async function readOpen({ db: { redis, keys } }: CompactParts): Promise<Group[]> {
  const stored = await redis.hgetall(keys.compactionPieces);
  return Object.entries(stored).map(([jobId, ids]) => ({ jobId, ids: JSON.parse(ids) as string[] }));
}

async function plan(parts: CompactParts, session: string, reduceBy: number): Promise<Group[]> {
  const { redis, keys } = parts.db;
  for (const summaries of [false, true]) {
    const candidates = await findCandidates(parts, { session, most: ROUND, summaries });
    const chosen = groupFindings(candidates, reduceBy).map((group) => group.map(({ id }) => id));
    const groups = await Promise.all(chosen.map((ids) => nameGroup(parts.db, ids)));
    if (groups.length === 0) continue;
    await redis.hset(
      keys.compactionPieces,
      Object.fromEntries(groups.map(({ jobId, ids }) => [jobId, JSON.stringify(ids)])),
    );
    return groups;
  }
  return [];
}

/** @returns false where another process has taken the turn */
async function compactAll(
  parts: CompactParts,
  turn: CompactionTurn,
  groups: readonly Group[],
  session: string,
  tally: { condensed: number; summaries: number; refused: number },
): Promise<boolean> {
  const waiting = [...groups];
  const failures: unknown[] = [];
  let isMine = true;

  async function work(): Promise<void> {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      isMine &&= await turn.isMine();
      if (!isMine || failures.length > 0) return;
      try {
        const outcome = await compactGroup(parts, group, session);
        if (outcome === 'refused') tally.refused += 1;
        if (outcome !== 'condensed') continue;
        tally.condensed += group.ids.length;
        tally.summaries += 1;
      } catch (error) {
        failures.push(error); // the others end what they have begun: it is paid for
      }
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failures.length > 0) throw failures[0];
  return isMine;
}

/** For the status: one small hash. */
async function noteState(
  { db: { redis, keys }, now }: CompactParts,
  state: { state: 'condensing' | 'stuck'; live: number; condensed: number; problem?: string },
): Promise<void> {
  await redis.hset(keys.compaction, { problem: '', ...state, at: now().toISOString() });
}

/** While another process condenses, missions look again this often. */
const LOOK_AGAIN_MS = 5_000;

/** Has old findings condensed where there are too many of them, before a mission begins; no mission starts meanwhile. */
export async function compactBeforeMission(
  ctx: StepContext,
  parts: Pick<CompactParts, 'ledger' | 'model' | 'currentSession'>,
): Promise<void> {
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
