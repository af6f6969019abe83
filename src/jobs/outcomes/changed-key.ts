import type { Model } from '../../models/model.ts';
import type { Logger } from '../../process/logger.ts';
import type { Db } from '../../redis/db.ts';
import { RATE_LIMIT_PAUSE } from './backoff.ts';

/** Claude's models share one field, as they did when workers called no others. */
const CLAUDE = { field: 'anthropic', models: 'claude-' };

/**
 * Ends the cool-downs that rate limits of another API key began: they tell nothing of this key. An outage and a pause for money stay.
 * Pacing needs no such step, because it keeps its limits by key. Where processes with two keys start in turn, each start ends
 * them, and the next refusal begins a new one.
 * @param options.models that this process calls where a job names none
 */
export async function endCooldownsOfOldKey(
  { redis, keys }: Db,
  {
    model: { limitKeyOf },
    models,
    log,
  }: { model: Pick<Model, 'limitKeyOf'>; models: readonly string[]; log: Pick<Logger, 'info'> },
): Promise<void> {
  if (limitKeyOf === undefined) return;
  const before = await redis.hgetall(keys.modelKeys);
  const inUse = await redis.hkeys(keys.modelsInUse);
  const now: Record<string, string> = {};
  const changed: string[] = [];
  for (const model of new Set([...models, ...inUse])) {
    const limitKey = limitKeyOf(model);
    const field = toField(model);
    if (limitKey === undefined || before[field] === limitKey) continue;
    now[field] = limitKey;
    if (before[field] !== undefined) changed.push(model);
  }
  const values = await Promise.all(changed.map((model) => redis.get(keys.cooldown(model))));
  const limited = changed.filter((_, i) => values[i] === RATE_LIMIT_PAUSE);
  const kept = new Set([CLAUDE.field, ...models, ...inUse]);
  const forgotten = Object.keys(before).filter((field) => !kept.has(field));
  if (Object.keys(now).length === 0 && forgotten.length === 0) return;
  const chain = redis.multi();
  for (const model of limited) chain.del(keys.cooldown(model), keys.limitedInRow(model));
  if (Object.keys(now).length > 0) chain.hset(keys.modelKeys, now); // with the step above: a start that dies before it does it again
  if (forgotten.length > 0) chain.hdel(keys.modelKeys, ...forgotten);
  await chain.exec();
  if (limited.length > 0)
    log.info({ models: limited }, 'the API key is another one: its models do not cool down any more');
}

function toField(model: string): string {
  return model.startsWith(CLAUDE.models) ? CLAUDE.field : model;
}
