import { join } from 'node:path';
import { readArchiveRoute } from '../config/model-rows/archive-route.ts';
import type { Config } from '../config/environment.ts';
import type { ShardConfig } from '../config/shards.ts';
import { ConfigError } from '../errors.ts';
import type { ArchiveModel } from '../models/archive-model.ts';
import type { Catalog, CatalogEntry } from '../pricing/catalog.ts';
import { toReplyRoom } from './answer/reply-room.ts';
import { ANSWER_TOKENS, type ChainMember } from './answer/types.ts';
import { formatCount } from '../text/plural.ts';

/** Share of a model's window that the shown findings may fill; the rest is for the question and its answer. Source: SPEC. */
export const WINDOW_SHARE = 0.9;
/** A model with less room than this shows too little of an archive. */
const LEAST_TOKENS = 4_000;

interface ChainParts {
  config: Config;
  shards: readonly ShardConfig[];
  catalog: Catalog;
  /** The model of a row, other than the shards'; null: this machine has no key of it. */
  findModel(id: string): ArchiveModel | null;
  at: Date;
}

/**
 * Who answers the archive's questions, in order: as the route of the kind `archive` says, else the shards, then the fallback where
 * its key is set. A model of the route without a key is left out.
 * @throws ConfigError where nobody is left, or the route names a model that cannot answer
 */
export function toArchiveChain(parts: ChainParts): ChainMember[] {
  const { config, shards, catalog, findModel, at } = parts;
  const { FLEET_GEMINI_MODEL: shardsModel, FLEET_FALLBACK_MODEL: fallback } = config;
  const ids = readArchiveRoute(config) ?? [shardsModel, fallback];
  const chain = ids.flatMap((id): ChainMember[] => {
    const entry = catalog.find(id, at);
    if (isOnShards(entry)) {
      if (id === shardsModel) return shards.length > 0 ? ['shards'] : [];
      throw new ConfigError(
        `route archive: ${id} is called with the Gemini shards' keys, which answer as ${shardsModel}; set FLEET_GEMINI_MODEL=${id}`,
      );
    }
    const model = findModel(id);
    if (model === null) return [];
    return [{ model, payer: { entry, free: false }, maxTokens: toRoom(entry) }];
  });
  if (chain.length > 0) return chain;
  throw new ConfigError(
    `the archive has no model: ${ids.join(', ')} need keys (put them into ${join(config.home, '.env')}, or name others in the route of the kind archive)`,
  );
}

/** Whether a model is called through the shards: with their keys, and within their quota. */
function isOnShards({ vendor, api, keyEnv }: CatalogEntry): boolean {
  return vendor === 'google' && api === 'gemini' && keyEnv === null;
}

function toRoom(entry: CatalogEntry): number {
  const { contextTokens, id } = entry;
  const room = Math.floor(Math.min(WINDOW_SHARE * contextTokens, contextTokens - toReplyRoom(entry, ANSWER_TOKENS)));
  if (room >= LEAST_TOKENS) return room;
  throw new ConfigError(
    `route archive: ${id} holds ${formatCount(contextTokens)} tokens, of which ${formatCount(Math.max(0, room))} are left for findings; expected at least ${formatCount(LEAST_TOKENS)}`,
  );
}
