import type { Db } from '../redis/db.ts';
import type { LimitKind, PacedModel } from './paced-model.ts';

const KINDS: LimitKind[] = ['requests', 'input', 'output'];
/** A model that was not called for this long is not shown. */
const IN_USE_MS = 10 * 60_000;
const MINUTE_MS = 60_000;

interface StoredPace extends Record<LimitKind, { limit?: number; used: number }> {
  at: number;
  hold: number;
  /** Lua writes an empty table as a list. */
  processes: Record<string, { till: number; flying: number[]; waiting: number[] }> | [];
}

/**
 * Reads what the pacer knows of the models in use, in one round trip; sends nothing where there are none.
 * @param lastUse `<key hash>:<model>` → ms, as the pacer keeps it
 */
export async function readPacing(
  { redis, keys }: Db,
  lastUse: Readonly<Record<string, string>>,
  nowMs: number,
): Promise<PacedModel[]> {
  const names = Object.keys(lastUse)
    .filter((name) => nowMs - Number(lastUse[name]) < IN_USE_MS)
    .sort();
  if (names.length === 0) return [];
  const texts = await redis.mget(names.map((name) => keys.pace(name)));
  return names.flatMap((name, i) => {
    const text = texts[i] ?? null;
    return text === null
      ? []
      : [toPacedModel(name.slice(name.indexOf(':') + 1), JSON.parse(text) as StoredPace, nowMs)];
  });
}

function toPacedModel(model: string, stored: StoredPace, nowMs: number): PacedModel {
  const processes = Object.values(stored.processes).filter(({ till }) => till >= nowMs);
  const sum = (of: (process: (typeof processes)[number]) => number | undefined): number =>
    processes.reduce((total, process) => total + (of(process) ?? 0), 0);
  const decay = Math.exp(-Math.max(0, nowMs - stored.at) / MINUTE_MS);
  return {
    model,
    calls: sum(({ flying }) => flying[0]),
    waiting: { begun: sum(({ waiting }) => waiting[0]), fresh: sum(({ waiting }) => waiting[1]) },
    heldForMs: Math.max(0, Math.ceil(stored.hold - nowMs)),
    limits: KINDS.flatMap((kind) => {
      const { limit, used } = stored[kind];
      return limit === undefined ? [] : [{ kind, perMinute: limit, used: Math.max(0, Math.round(used * decay)) }];
    }),
  };
}
