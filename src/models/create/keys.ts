import { hash } from 'node:crypto';
import { join } from 'node:path';
import { type Config, isOffline } from '../../config/environment.ts';
import { TaskFailedError } from '../../errors.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import { isLoopbackUrl } from './loopback.ts';
import { isOnShards } from './on-shards.ts';
import { findVendor } from '../../config/model-rows/vendors.ts';

/** In place of a key that is not set, where the models are simulated. */
const SIMULATED_KEY = 'simulated';

/**
 * Finds a model's key.
 * @param shard number of the shard whose key is meant, for a model that is on the shards. Default: the first one
 * @returns '' where its server needs none; undefined: this machine has none
 */
export function findKey(entry: CatalogEntry, config: Config, shard?: number): string | undefined {
  const ofShard = isOnShards(entry) ? config.shards.find(({ number }) => number === shard) : undefined;
  if (ofShard !== undefined) return ofShard.apiKey;
  const name = toKeyName(entry);
  if (name === null && needsNoKey(entry) && !isSimulated(entry, config)) return '';
  if (name === null) return isOffline(config) ? SIMULATED_KEY : undefined;
  const key = config.modelKeys[name] ?? ownVariable(name, config);
  return key ?? (isOffline(config) ? SIMULATED_KEY : undefined);
}

/** @throws TaskFailedError (`model`) that says where the key goes; nothing was sent */
export function requireKey(entry: CatalogEntry, config: Config, shard?: number): string {
  const key = findKey(entry, config, shard);
  if (key !== undefined) return key;
  const where = `put it into ${join(config.home, '.env')}, or set FLEET_OFFLINE=1 for simulated models`;
  throw withNoBill(new TaskFailedError('model', `model ${entry.id}: ${toKeyRule(entry)} (${where})`));
}

/** What is missing where a model has no key. */
export function toKeyRule(entry: CatalogEntry): string {
  const name = toKeyName(entry);
  if (name !== null) return `${name}: expected a key, got nothing`;
  return `models.json: expected a key_env in the row of ${entry.id}, because the fleet knows no vendor ${JSON.stringify(entry.vendor)}`;
}

/** Names the limits of a key, or of a server without keys, in Redis. It tells nothing of the key. */
export function toLimitKey(entry: CatalogEntry, key: string): string {
  return hash('sha256', key === '' ? (entry.baseUrl ?? entry.vendor) : key).slice(0, 12);
}

export function withNoBill(error: TaskFailedError): TaskFailedError {
  error.billed = 'no';
  return error;
}

function toKeyName({ keyEnv, vendor, isLocal }: CatalogEntry): string | null {
  return keyEnv ?? (isLocal ? null : (findVendor(vendor)?.keyEnv ?? null));
}

/** Whether the simulator answers in place of its server. */
function isSimulated({ baseUrl }: CatalogEntry, config: Config): boolean {
  return isOffline(config) && (baseUrl === null || !isLoopbackUrl(baseUrl));
}

/** A server of one's own: it may have a price, too. */
function needsNoKey({ isLocal, vendor }: CatalogEntry): boolean {
  return isLocal || findVendor(vendor)?.keyEnv === null;
}

/** The keys that have a place of their own in the configuration. */
function ownVariable(name: string, { ANTHROPIC_API_KEY, DEEPSEEK_API_KEY, shards }: Config): string | undefined {
  if (name === 'ANTHROPIC_API_KEY') return ANTHROPIC_API_KEY;
  if (name === 'DEEPSEEK_API_KEY') return DEEPSEEK_API_KEY;
  return name === 'GEMINI_API_KEY' ? shards[0]?.apiKey : undefined;
}
