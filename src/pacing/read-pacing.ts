import type { Db } from '../redis/db.ts';
import type { LimitKind, PacedLimit, PacedModel } from './paced-model.ts';
import { parseRecord } from '../redis/stored-record.ts';

const KINDS: LimitKind[] = ['requests', 'input', 'output'];
/** A model that was not called for this long is not shown. */
const IN_USE_MS = 10 * 60_000;
const MINUTE_MS = 60_000;

interface StoredBucket {
  limit?: number;
  used: number;
  level?: number;
}

interface StoredPace extends Record<LimitKind, StoredBucket> {
  /** Of the model's row. */
  own?: Partial<Record<LimitKind, StoredBucket>> & { concurrent?: number };
  learned?: { by?: string; at: number };
  at: number;
  hold: number;
  /** Lua writes an empty table as a list. */
  processes: Record<string, { till: number; flying: number[]; waiting: number[] }> | [];
}

/**
 * Reads what the pacer knows of the models in use, in one round trip; sends nothing where there are none.
 * @param lastUse `<key hash>:<model>` → ms, as the pacer keeps it
 * @param options.inUseMs one that was not called for so long is left out; default ten minutes
 */
export async function readPacing(
  { redis, keys }: Db,
  lastUse: Readonly<Record<string, string>>,
  nowMs: number,
  { inUseMs = IN_USE_MS }: { inUseMs?: number } = {},
): Promise<PacedModel[]> {
  const names = Object.keys(lastUse)
    .filter((name) => nowMs - Number(lastUse[name]) < inUseMs)
    .sort();
  if (names.length === 0) return [];
  const texts = await redis.mget(names.map((name) => keys.pace(name)));
  return names.flatMap((name, i) => {
    const stored = parseRecord(texts[i]) as StoredPace | null;
    return stored?.processes === undefined ? [] : [toPacedModel(name, stored, nowMs)];
  });
}

function toPacedModel(name: string, stored: StoredPace, nowMs: number): PacedModel {
  const processes = Object.values(stored.processes).filter(({ till }) => till >= nowMs);
  const sum = (of: (process: (typeof processes)[number]) => number | undefined): number =>
    processes.reduce((total, process) => total + (of(process) ?? 0), 0);
  const [key, model] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)];
  return {
    model,
    key,
    calls: sum(({ flying }) => flying[0]),
    waiting: { begun: sum(({ waiting }) => waiting[0]), fresh: sum(({ waiting }) => waiting[1]) },
    heldForMs: Math.max(0, Math.ceil(stored.hold - nowMs)),
    atOnce: stored.own?.concurrent ?? null,
    limits: KINDS.flatMap((kind) => [
      ...toLimit(kind, 'provider', stored[kind], nowMs - stored.at),
      ...toLimit(kind, 'row', stored.own?.[kind], nowMs - stored.at),
    ]),
    learned:
      stored.learned === undefined
        ? null
        : { by: stored.learned.by ?? null, at: new Date(stored.learned.at).toISOString() },
  };
}

/** @param agoMs when the bucket was filled last */
function toLimit(
  kind: LimitKind,
  from: PacedLimit['from'],
  bucket: StoredBucket | undefined,
  agoMs: number,
): PacedLimit[] {
  if (bucket?.limit === undefined) return [];
  const { limit, level = limit } = bucket;
  const ms = Math.max(0, agoMs);
  const used = Math.max(0, Math.round(bucket.used * Math.exp(-ms / MINUTE_MS)));
  // A row's bucket holds a part of the minute only, a provider's what its answers stated.
  const left = from === 'row' ? limit - used : Math.min(limit, level + (limit * ms) / MINUTE_MS);
  return [{ kind, perMinute: limit, used, left: Math.max(0, Math.floor(left)), from }];
}
