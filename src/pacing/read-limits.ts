import type { ModelRow } from '../config/model-rows/types.ts';
import type { Db } from '../redis/db.ts';
import type { LimitKind, PacedLimit, PacedModel } from './paced-model.ts';
import { readPacing } from './read-pacing.ts';

/** What limits one model under one key, and whether it takes calls. */
export interface LimitedModel extends PacedModel {
  /** The model gets no call for so long; null: it takes calls. `why` is `rate-limit`, `probe` (an outage) or `uncertain` (money). */
  cooling: { forMs: number; why: string } | null;
}

/** Redis keeps what the pacer knows for so long. */
const KEPT_MS = 86_400_000;
/** In place of a key, for a row whose model was not called yet. */
const NO_KEY = '';

/** Reads every key and model that was called within a day, then the rows with limits that were not. Writes nothing. */
export async function readModelLimits(db: Db, rows: readonly ModelRow[]): Promise<LimitedModel[]> {
  const { redis, keys } = db;
  const lastUse = await redis.hgetall(keys.paced);
  const called = await readPacing(db, lastUse, db.clock.date().getTime(), { inUseMs: KEPT_MS });
  const names = new Set(called.map(({ model }) => model));
  const others = rows.filter(({ id, limits }) => !names.has(id) && Object.keys(limits).length > 0).map(toUncalled);
  return Promise.all(
    [...called, ...others].map(async (model) => ({ ...model, cooling: await readCooling(db, model) })),
  );
}

async function readCooling({ redis, keys }: Db, { model }: PacedModel): Promise<LimitedModel['cooling']> {
  const key = keys.cooldown(model);
  const [forMs, why] = await Promise.all([redis.pttl(key), redis.get(key)]);
  return forMs <= 0 ? null : { forMs, why: why ?? '' };
}

function toUncalled({ id, limits }: ModelRow): PacedModel {
  const { rpm, itpm, otpm, concurrent } = limits;
  const toLimit = (kind: LimitKind, perMinute: number | undefined): PacedLimit[] =>
    perMinute === undefined ? [] : [{ kind, perMinute, used: 0, left: perMinute, from: 'row' }];
  return {
    model: id,
    key: NO_KEY,
    calls: 0,
    waiting: { begun: 0, fresh: 0 },
    atOnce: concurrent ?? null,
    heldForMs: 0,
    limits: [...toLimit('requests', rpm), ...toLimit('input', itpm), ...toLimit('output', otpm)],
    learned: null,
  };
}
