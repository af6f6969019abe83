import type { Config } from '../config/environment.ts';
import {
  AccountRefusedError,
  BudgetReachedError,
  ProviderUnavailableError,
  RateLimitedError,
  TaskFailedError,
  toMessage,
} from '../errors.ts';
import type { Model, ModelReply } from '../models/model.ts';
import { findVendor } from '../config/model-rows/vendors.ts';
import { catalogOf, type CatalogEntry } from '../pricing/catalog.ts';
import { formatUsd } from '../pricing/money.ts';
import type { Db } from '../redis/db.ts';
import { unwell, well, type CheckResult } from './check.ts';
import { withDoctorCalls } from './doctor-calls.ts';
import { makeRoundTrip, type RoundTrip } from './model-round-trip.ts';
import { describeLimits } from './tiers.ts';
import { FREE_LOCAL } from '../pricing/free-local.ts';
import { formatCount } from '../text/plural.ts';

/** What a part of the live check found, and what it cost. */
export interface LiveResults {
  results: CheckResult[];
  nanoUsd: number;
}

interface LiveParts {
  db: Db;
  config: Config;
  session: string;
}

/** Checks the models that the variables name, one after the other. A key that is refused is not tried again, and no other one is passed over. */
export async function checkAnthropic(parts: LiveParts, model: Model): Promise<LiveResults> {
  const { FLEET_HAIKU_MODEL, FLEET_SONNET_MODEL, FLEET_COORDINATOR_MODEL } = parts.config;
  const found: LiveResults = { results: [], nanoUsd: 0 };
  const tried = new Set<string>();
  const refused = new Set<string>();
  for (const [name, id] of [
    ['FLEET_HAIKU_MODEL', FLEET_HAIKU_MODEL],
    ['FLEET_SONNET_MODEL', FLEET_SONNET_MODEL],
    ['FLEET_COORDINATOR_MODEL', FLEET_COORDINATOR_MODEL],
  ] as const) {
    if (tried.has(id)) continue;
    tried.add(id);
    const key = toKeyVariable(parts.config, id);
    if (refused.has(key)) continue;
    const { results, nanoUsd, isKeyRefused } = await tryModel(parts, model, id, name);
    found.results.push(...results);
    found.nanoUsd += nanoUsd;
    if (isKeyRefused) refused.add(key);
  }
  return found;
}

/**
 * Makes a worker's round trip with one model.
 * @param name the variable that names it; default: a row or a task does
 */
export async function tryModel(
  parts: LiveParts,
  model: Model,
  id: string,
  name = 'its row in models.json',
): Promise<LiveResults & { isKeyRefused: boolean }> {
  const { config } = parts;
  const found = { results: [] as CheckResult[], nanoUsd: 0, isKeyRefused: false };
  try {
    const entry = catalogOf(config).find(id, new Date());
    await withDoctorCalls<ModelReply, void>(parts, async (calls, signal) => {
      const startedAt = performance.now();
      try {
        const trip = await makeRoundTrip({ model, entry, calls }, signal);
        const paid = { nanoUsd: calls.totals.nanoUsd, startedAt, isLocal: entry.isLocal };
        found.results.push(...toResults(id, trip, paid));
      } finally {
        found.nanoUsd += calls.totals.nanoUsd;
      }
    });
  } catch (error) {
    found.isKeyRefused = error instanceof AccountRefusedError;
    const what = found.isKeyRefused ? toKeyVariable(config, id) : id;
    found.results.push(unwell(what, toMessage(error), toFix(error, { config, id, name })));
  }
  return found;
}

/** The variable that holds a model's key, for messages. */
function toKeyVariable(config: Config, id: string): string {
  const { keyEnv = null, vendor = '' } = findEntry(config, id) ?? {};
  return keyEnv ?? findVendor(vendor)?.keyEnv ?? `a key_env in the row of ${id}`;
}

/** Null: it is unknown or retired, which its own line says. */
function findEntry(config: Config, id: string): CatalogEntry | null {
  try {
    return catalogOf(config).find(id, new Date());
  } catch (error) {
    if (error instanceof TaskFailedError) return null;
    throw error;
  }
}

function toResults(
  id: string,
  { calls, thinks, usesTools, takesTrim, limits }: RoundTrip,
  { nanoUsd, startedAt, isLocal }: { nanoUsd: number; startedAt: number; isLocal: boolean },
): CheckResult[] {
  const spent = `${calls} calls in ${formatCount(Math.round(performance.now() - startedAt))} ms ${isLocal ? `(${FREE_LOCAL})` : `for ${formatUsd(nanoUsd, 6)}, booked`}`;
  const can = [
    ...(thinks ? ['thinks'] : []),
    ...(usesTools ? ['uses tools'] : []),
    ...(takesTrim ? ['goes on after a trim'] : []),
  ];
  const trip =
    usesTools && takesTrim
      ? well(id, `${can.join(', ')}: ${spent}`)
      : unwell(id, `answers, but used no tool though it was told to: ${spent}`, 'run it again; tasks need tools');
  const stated = limits === null ? 'the answers state none' : describeLimits(id, limits);
  return [trip, well(`${id} limits`, stated)];
}

function toFix(error: unknown, { config, id, name }: { config: Config; id: string; name: string }): string {
  if (error instanceof AccountRefusedError) {
    return `correct ${toKeyVariable(config, id)} in ${config.home}/.env, or mend the account`;
  }
  if (error instanceof RateLimitedError) return 'wait a minute, then run it again';
  if (error instanceof BudgetReachedError) return 'fleet budget USD raises it; then run it again';
  if (error instanceof ProviderUnavailableError && !error.sent) return toReach(findEntry(config, id));
  if (error instanceof TaskFailedError && error.reason === 'model') return `correct ${name}`;
  if (error instanceof TaskFailedError) return `correct what the message names, or name another model in ${name}`;
  return 'run it again in a minute';
}

/** What to do where nothing answers at a model's address. */
function toReach(entry: CatalogEntry | null): string {
  const { id = '', vendor = '', api = 'openai', isLocal = false } = entry ?? {};
  const own = entry?.baseUrl ?? null;
  const address = own ?? findVendor(vendor)?.addresses[api] ?? null;
  if (address === null) return 'see whether this machine reaches the internet, then run it again';
  if (!isLocal && own === null) return `see whether this machine reaches ${address}, then run it again`;
  const row = `base_url in the row of ${id} in models.json`;
  return `start the server at ${address}, or correct ${row}; then run it again`;
}
