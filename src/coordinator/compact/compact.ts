import pMap from 'p-map';
import type { Config } from '../../config/environment.ts';
import { countOf } from '../../text/plural.ts';
import type { MissionJob } from '../step/job.ts';
import { findCandidates } from './candidates.ts';
import { compactGroup, nameGroup, type Group } from './compact-group.ts';
import { groupFindings } from './groups.ts';
import { holdLease, type HeldLease } from '../../redis/lease.ts';
import { LIVE_LIMIT, type CompactOutcome, type CompactParts } from './types.ts';
import { countEvent } from '../../swarm/count-event.ts';
import { catalogOf } from '../../pricing/catalog.ts';

/** Share of the limit that a compaction frees, so that the next mission does not exceed the limit again at once. */
const MARGIN = 0.1;
/** Findings considered in one round: sessions stay mostly whole, and the memory needed stays small. */
const ROUND = 1_000;
/** Groups compacted at once. */
const CONCURRENCY = 4;
/** A mission that waits for another process' compaction looks again after this long. */
const LOOK_AGAIN_MS = 5_000;

/** So long after a compaction found nothing to condense, missions start without reading the whole archive again. */
const STUCK_MS = 60_000;

interface Tally {
  condensed: number;
  summaries: number;
}

/** Compacts the archive if it is over the limit. The mission waits while another process does so. */
export async function compactBeforeMission(
  parts: Omit<CompactParts, 'catalog' | 'modelId' | 'signal' | 'isDraining' | 'note' | 'limit'> & {
    config: Pick<Config, 'FLEET_HAIKU_MODEL' | 'models'>;
  },
  job: MissionJob,
): Promise<void> {
  const { redis, keys } = parts.db;
  const outcome = await compactIfNeeded({
    ...parts,
    catalog: catalogOf(parts.config),
    modelId: parts.config.FLEET_HAIKU_MODEL,
    signal: job.signal,
    isDraining: job.isDraining,
    note: (line) => redis.rpush(keys.jobLogs('missions', job.id), line),
  });
  if (outcome !== 'busy') return;
  await countEvent(parts.db, 'waits_compaction');
  await job.delay(LOOK_AGAIN_MS, 'another process condenses old findings, and no mission starts meanwhile');
}

/**
 * Compacts the oldest findings if there are more live findings than the limit, until nine tenths of the limit are left.
 * One process of the fleet does so at a time.
 *
 * Delivery contract: a process may die at any line. Redis holds the groups under way; the next process compacts the same
 * groups and pays for none of them again. At every instant a finding is live, or it is condensed and its original is stored.
 * @throws what ends a paid call: halt, budget, a model that cools down, a provider that is down, shutdown
 */
export async function compactIfNeeded(parts: CompactParts): Promise<CompactOutcome> {
  const { db, limit = LIVE_LIMIT } = parts;
  const { redis, keys } = db;
  const [live, begun] = await Promise.all([redis.zcard(keys.index), redis.hlen(keys.compactionPieces)]);
  if (live <= limit && begun === 0) {
    await redis.del(keys.compaction); // the archive is no longer too full
    return 'not-needed';
  }
  if (begun === 0 && (await isStuck(parts, live))) return 'nothing-to-compact';
  const lease = await holdLease(db, keys.lease('compaction'));
  if (lease === null) return 'busy';
  try {
    return await compact(parts, lease, live);
  } finally {
    await lease.release();
  }
}

/** Whether a compaction has just read the whole archive, and found nothing to condense in the session that is still in force. */
async function isStuck(parts: CompactParts, live: number): Promise<boolean> {
  const { note, now, limit = LIVE_LIMIT } = parts;
  const { redis, keys } = parts.db;
  const { state, session, at = '', problem } = await redis.hgetall(keys.compaction);
  if (state !== 'stuck' || session !== (await parts.currentSession())) return false;
  const ageMs = now().getTime() - Date.parse(at);
  if (!(ageMs >= 0 && ageMs < STUCK_MS)) return false;
  await note?.(`${now().toISOString()} ${countOf(live, 'live finding')}, more than ${limit}: ${problem}`);
  return true;
}

/** @param before number of live findings */
async function compact(parts: CompactParts, lease: HeldLease, before: number): Promise<CompactOutcome> {
  const { note, now, limit = LIVE_LIMIT } = parts;
  const { redis, keys } = parts.db;
  const target = Math.floor(limit * (1 - MARGIN));
  const tally: Tally = { condensed: 0, summaries: 0 };
  let live = before;
  await note?.(`${now().toISOString()} ${countOf(live, 'live finding')}: the oldest are condensed down to ${target}`);
  await storeState(parts, { state: 'condensing', live, condensed: 0 });
  let groups = await readOpenGroups(parts);
  while (groups.length > 0 || live > target) {
    const session = await parts.currentSession();
    if (groups.length === 0) groups = await planGroups(parts, session, live - target);
    if (groups.length === 0) break;
    if (!(await compactAll(parts, lease, groups, session, tally))) return 'busy';
    groups = [];
    live = await redis.zcard(keys.index);
    await storeState(parts, { state: 'condensing', live, condensed: tally.condensed });
  }
  return reportEnd(parts, live, tally);
}

/** Logs and stores how a compaction ended. */
async function reportEnd(parts: CompactParts, live: number, tally: Tally): Promise<CompactOutcome> {
  const { note, now, limit = LIVE_LIMIT } = parts;
  const { redis, keys } = parts.db;
  const { condensed, summaries } = tally;
  const result =
    condensed === 0
      ? ''
      : `condensed ${countOf(condensed, 'old finding')} into ${countOf(summaries, 'summary', 'summaries')}; `;
  if (live <= limit) {
    await redis.del(keys.compaction);
    await note?.(`${now().toISOString()} ${result}${countOf(live, 'live finding')}`);
    return 'done';
  }
  const refused = await redis.zcard(keys.uncondensed);
  const session = await parts.currentSession();
  const why =
    refused === 0
      ? `all that is left belongs to the session in force (${session})`
      : `what is left belongs to the session in force (${session}), or no summary could be made of it (${countOf(refused, 'finding')}, tried again tomorrow)`;
  await storeState(parts, { state: 'stuck', live, condensed, problem: why, session });
  await note?.(`${now().toISOString()} ${result}${countOf(live, 'live finding')}, more than ${limit}: ${why}`);
  return 'nothing-to-compact';
}

/** Reads the groups of a compaction that a crash interrupted. They come first, because they may be paid for. */
async function readOpenGroups({ db: { redis, keys } }: CompactParts): Promise<Group[]> {
  const stored = await redis.hgetall(keys.compactionPieces);
  return Object.entries(stored).flatMap(([jobId, text]) => {
    const ids = parseIds(text);
    return ids === null ? [] : [{ jobId, ids }]; // of a damaged record, the findings are chosen again
  });
}

function parseIds(text: string): string[] | null {
  try {
    const ids: unknown = JSON.parse(text);
    return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : null;
  } catch {
    return null;
  }
}

/** Chooses the next groups and stores them. Summaries are compacted again only if no other finding is left. */
async function planGroups(parts: CompactParts, session: string, reduceBy: number): Promise<Group[]> {
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

/** Compacts groups, four at once. @returns false if another process has taken the lease */
async function compactAll(
  parts: CompactParts,
  lease: HeldLease,
  groups: readonly Group[],
  session: string,
  tally: Tally,
): Promise<boolean> {
  const failures: unknown[] = [];
  let isMine = true;

  async function compactOne(group: Group): Promise<void> {
    isMine &&= await lease.isMine();
    if (!isMine || failures.length > 0) return;
    try {
      if ((await compactGroup(parts, group, session)) !== 'condensed') return;
      tally.condensed += group.ids.length;
      tally.summaries += 1;
    } catch (error) {
      failures.push(error); // no rejection: the groups under way must end, because their calls are paid for
    }
  }

  await pMap(groups, compactOne, { concurrency: CONCURRENCY });
  if (failures.length > 0) throw failures[0];
  return isMine;
}

/** Stores the state of the compaction for the status. */
async function storeState(
  { db: { redis, keys }, now }: CompactParts,
  state: { state: 'condensing' | 'stuck'; live: number; condensed: number; problem?: string; session?: string },
): Promise<void> {
  await redis.hset(keys.compaction, { problem: '', session: '', ...state, at: now().toISOString() });
}
