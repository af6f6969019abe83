import { createHash } from 'node:crypto';
import { TaskFailedError } from '../../errors.ts';
import { toFindingId } from '../../findings/finding.ts';
import type { StoredValue } from '../../findings/types.ts';
import {
  parseFinding,
  toStoredTokens,
  readStored,
  toDigest,
  toStoredText,
  withAdopted,
} from '../../findings/stored.ts';
import { type StoredFinding } from '../../findings/types.ts';
import { toCondensed } from '../../findings/condensed.ts';
import type { CompactParts } from './types.ts';
import { COMPACT_PROMPT_VERSION, toCompactionCall, toSummaryFinding, type SummaryFinding } from './summary.ts';
import { createStructuredCalls } from '../calls/structured-call.ts';
import type { Db } from '../../redis/db.ts';
import { toWellFormedJson } from '../../text/well-formed.ts';
import { countEvent } from '../../swarm/count-event.ts';

/** Findings to be replaced by one summary. */
export interface Group {
  /** Its identity in the ledger, stored with the ids: another process that continues the group pays nothing again. */
  jobId: string;
  /** Oldest first. */
  ids: string[];
}

interface Original {
  finding: StoredFinding;
  value: StoredValue;
}

/** Gives a group its job id. Findings whose summary was retracted get an id that no summary has had. */
export async function nameGroup({ redis, keys }: Db, ids: string[]): Promise<Group> {
  for (let before = 0; ; before += 1) {
    const named = before === 0 ? ids : [...ids, String(before)];
    const jobId = `compaction-${createHash('sha256').update(named.join('\n')).digest('hex').slice(0, 16)}`;
    if ((await redis.exists(keys.finding(toFindingId(jobId)))) === 0) return { jobId, ids };
  }
}

/**
 * Compacts one group: one paid call, then one script that replaces its findings by the summary.
 * @returns `dropped`: a finding is no longer live or belongs to the current session, or the summary exists already; the
 *   others are grouped again. `refused`: no summary could be made, or a finding changed meanwhile; the findings stay as they
 *   are and are left out for a day
 * @throws what ends the run: halt, budget, a model that cools down, a provider that is down, shutdown
 */
export async function compactGroup(
  parts: CompactParts,
  group: Group,
  session: string,
): Promise<'condensed' | 'dropped' | 'refused'> {
  const { log } = parts;
  const { redis, keys } = parts.db;
  const originals = await readLive(parts, group.ids, session);
  const hasSummary = (await redis.exists(keys.finding(toFindingId(group.jobId)))) === 1;
  if (originals === null || hasSummary) {
    await redis.hdel(keys.compactionPieces, group.jobId);
    return 'dropped';
  }
  try {
    const summary = await askForSummary(parts, group, originals, session);
    const answer = await storeSummary(parts, group, originals, summary);
    if (answer === 'recorded' || answer === 'already') return 'condensed';
    await refuse(parts, group, answer === 'changed' ? 'findings were written anew meanwhile' : 'its id is taken');
  } catch (error) {
    if (
      !(error instanceof TaskFailedError) ||
      !['malformed', 'refusal', 'too-long', 'finding-taken'].includes(error.reason)
    ) {
      throw error;
    }
    log.warn({ group: group.jobId, error }, 'no summary could be made');
    await refuse(parts, group, error.message);
  }
  return 'refused';
}

/** Reads the findings of a group. @returns null if one is no longer live or belongs to the current session, or if they belong to two memory shards */
async function readLive({ db }: CompactParts, ids: string[], session: string): Promise<Original[] | null> {
  const [live, values] = await Promise.all([db.redis.zmscore(db.keys.index, ...ids), readStored(db, ids)]);
  const stored = values.map((value) => (value === null ? null : toStoredText(value)));
  const texts = await withAdopted(db, ids, stored);
  const originals = values.flatMap((value, i) => {
    const text = texts[i] ?? null;
    const finding = text === null || live[i] === null ? null : parseFinding(ids[i] ?? '', text);
    return value === null || finding === null || finding.session === session ? [] : [{ finding, value }];
  });
  const shards = new Set(originals.map(({ finding }) => finding.shard ?? null));
  return originals.length === ids.length && shards.size === 1 ? originals : null; // else an older version grouped them
}

async function askForSummary(
  parts: CompactParts,
  { jobId, ids }: Group,
  originals: Original[],
  session: string,
): Promise<SummaryFinding> {
  const { model, catalog, modelId, ledger, workerId, signal, isDraining, now, note } = parts;
  const identity = {
    jobId,
    token: '', // there is no job and no lock; the lease of the compaction takes its place
    attempt: 0,
    digest: createHash('sha256')
      .update([COMPACT_PROMPT_VERSION, modelId, ...originals.map(({ value }) => toDigest(value))].join('\n'))
      .digest('hex'),
    findingId: toFindingId(jobId),
    session,
    batch: null,
    missionId: null,
    budgetNanoUsd: null,
  };
  const calls = createStructuredCalls({
    model,
    catalog,
    ledger,
    identity,
    signal,
    isDraining,
    workerId,
    now,
    note: async (line) => note?.(`${line} (a summary of ${ids.length} findings)`),
  });
  const findings = originals.map(({ finding }) => finding);
  const text = await calls.ask(toCompactionCall(modelId, findings));
  const entry = catalog.find(modelId, now());
  return toSummaryFinding({ identity, findings, text, totals: calls.totals(), entry, workerId, now: now() });
}

/** Stores the summary and condenses its findings, in one script: a crash comes before it or after it. */
async function storeSummary(
  { db: { keys, scripts } }: CompactParts,
  { jobId, ids }: Group,
  originals: Original[],
  summary: SummaryFinding,
): Promise<string> {
  const text = JSON.stringify(summary);
  const indexes = [...new Set(['', ...originals.map(({ finding }) => finding.session ?? ''), ...summary.sessions])]
    .filter((name) => name !== '')
    .map((name) => keys.indexBySession(name));
  if (summary.shard !== undefined) indexes.push(keys.indexByShard(summary.shard));
  return scripts['compact-findings'](
    {
      summary: keys.finding(summary.finding_id),
      index: keys.index,
      condensed: keys.indexCondensed,
      contextActive: keys.contextActive,
      events: keys.events,
      counters: keys.counters,
      turns: keys.turns(jobId),
      pieces: keys.compactionPieces,
      reservations: keys.reservations,
      others: [...indexes, ...ids.flatMap((id) => [keys.finding(id), keys.condensed(id)])],
    },
    [
      toWellFormedJson({
        job: jobId,
        id: summary.finding_id,
        at: String(Date.parse(summary.at)),
        tokens: String(toStoredTokens(text)),
        session: summary.session,
        topics: summary.topics.join(','),
        channel: keys.channelFindings,
        sessions: indexes.length,
        originals: originals.map(({ value }, i) => [
          ids[i],
          String(toStoredTokens(toStoredText(value))),
          toDigest(value),
        ]),
      }),
      text,
      ...originals.map(({ finding }) => JSON.stringify(toCondensed(finding, summary.finding_id))),
    ],
  );
}

/** Marks the findings of a group, so that they are left out for a day. Deletes the stored reply: a later try makes a new call. */
async function refuse(parts: CompactParts, { jobId, ids }: Group, why: string): Promise<void> {
  const { note, now } = parts;
  const { redis, keys } = parts.db;
  const refusedAt = now().getTime();
  await redis
    .multi()
    .zadd(keys.uncondensed, ...ids.flatMap((id) => [refusedAt, id]))
    .del(keys.turns(jobId))
    .hdel(keys.compactionPieces, jobId)
    .exec();
  await countEvent(parts.db, 'compaction_refused');
  await note?.(`${now().toISOString()} no summary of ${ids.length} findings from ${ids[0] ?? ''} on: ${why}`);
}
