import { isOnShards } from '../../models/create/on-shards.ts';
import type { Pacer } from '../../pacing/types.ts';
import { catalogOf } from '../../pricing/catalog.ts';
import type { GateParts, OpenGate } from './open-gate.ts';
import { ShardRun } from './shard-run.ts';

export interface ShardPacerParts extends GateParts {
  /** Of all other models. */
  others: Pacer;
}

/**
 * Keeps the quota of the shards for the calls of tasks and missions, together with the librarians, and leaves the other models to
 * their own pacer. It loads and opens nothing before the first call of a model that is on the shards.
 */
export function createShardPacer(parts: ShardPacerParts): Pacer {
  const { config, others, db } = parts;
  const { shards } = config;
  if (shards.length === 0) return others;
  const known = new Map<string, boolean>();
  let opening: Promise<OpenGate> | null = null;

  function isKnownOnShards(model: string): boolean {
    let found = known.get(model);
    if (found === undefined) {
      found = isOnShards(catalogOf(config).findPrices(model, db.clock.date()));
      known.set(model, found);
    }
    return found;
  }

  const shared = {
    isOnShards: isKnownOnShards,
    async openGate() {
      opening ??= import('./open-gate.ts').then(({ openGate }) => openGate(parts));
      try {
        return (await opening).gate;
      } catch (error) {
        opening = null; // the next call tries again
        throw error;
      }
    },
    free: new Set(shards.flatMap(({ number, tier }) => (tier === 'free' ? [number] : []))),
    shardCount: shards.length,
  };
  return {
    enter: (options) => new ShardRun(shared, others.enter(options)),
    async close() {
      await others.close();
      await (await opening?.catch(() => null))?.close();
    },
  };
}
