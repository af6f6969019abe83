import type { Db } from '../../redis/db.ts';

const EVERY_MS = 60_000;

/** Notes which models the fleet is calling, once a minute a model: `allModelsCoolMs` asks for it. */
export function createModelUse({ redis, keys }: Db): (model: string) => Promise<void> {
  const notedAt = new Map<string, number>();
  return async (model) => {
    const now = Date.now();
    if (now - (notedAt.get(model) ?? 0) < EVERY_MS) return;
    notedAt.set(model, now);
    await redis.hset(keys.modelsInUse, model, now);
  };
}
