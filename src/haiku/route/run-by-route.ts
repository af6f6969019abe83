import {
  AccountRefusedError,
  ModelCoolingError,
  ProviderUnavailableError,
  RateLimitedError,
  ShardsUsedUpError,
} from '../../errors.ts';
import type { Handover } from '../../findings/finding.ts';
import { coolDown } from '../../jobs/outcomes/backoff.ts';
import type { CatalogEntry } from '../../pricing/catalog.ts';
import type { Db } from '../../redis/db.ts';
import type { Availability, Pause } from '../../routing/availability.ts';
import type { RunRecord } from '../../run-record/run-record.ts';
import { toOneLine } from '../../text/one-line.ts';

export interface ByRouteParts {
  db: Db;
  availability: Availability;
  /** Writes a line into the job's log. */
  note?: ((line: string) => Promise<unknown>) | undefined;
  record?: RunRecord | undefined;
}

/** Longest reason of a handover, UTF-16 code units: a provider's message may be long. */
const LONGEST_WHY = 300;

/**
 * Runs a task on the first of its models that takes calls. Where one cools down, is refused or spent, also in the middle of the
 * task, the next one continues from the stored replies. Where none is left, the run ends as if there were only one: the job waits
 * for a model that cools down, and the fleet halts only if every account is refused.
 * @param models of one route, at least one, in its order
 * @param run runs the task on one model. `handovers`: those that no stored reply tells of yet
 */
export function runByRoute<Result>(
  models: readonly CatalogEntry[],
  parts: ByRouteParts,
  run: (entry: CatalogEntry, handovers: Handover[]) => Promise<Result>,
): Promise<Result> {
  const [first] = models;
  if (first === undefined) throw new TypeError('a task is run on at least one model');
  return models.length === 1 ? run(first, []) : runAmong(first, models, parts, run);
}

async function runAmong<Result>(
  first: CatalogEntry,
  models: readonly CatalogEntry[],
  parts: ByRouteParts,
  run: (entry: CatalogEntry, handovers: Handover[]) => Promise<Result>,
): Promise<Result> {
  const pauses = await parts.availability.read(models);
  const open = models.filter((_, i) => pauses[i] === null);
  const soonest = findSoonest(models, pauses);
  const handovers: Handover[] = [];
  const refused: AccountRefusedError[] = [];
  let from = first;
  let why = pauses[0]?.why ?? '';
  let last: Error | undefined;
  for (const entry of open.length > 0 ? open : [soonest?.entry ?? first]) {
    if (entry !== from) {
      const handover = { from: from.id, to: entry.id, why: toOneLine(why, LONGEST_WHY) };
      handovers.push(handover);
      parts.record?.note({ kind: 'handover', ...handover });
      await note(parts, `${from.id} → ${entry.id}: ${toOneLine(why, LONGEST_WHY)}`);
    }
    try {
      return await run(entry, handovers);
    } catch (error) {
      const detour = await toDetour(error, entry, parts);
      if (detour === null || !(error instanceof Error)) throw error;
      if (error instanceof AccountRefusedError) refused.push(error);
      else last = error;
      why = detour;
      from = entry;
    }
  }
  if (last !== undefined) throw last;
  // Only accounts were refused; a model that cools down may still do the task.
  if (open.length > 0 && soonest !== null) {
    const { entry, pause } = soonest;
    throw new ModelCoolingError(
      entry.id,
      pause.ms,
      `${entry.id} cools down, and the other models of the route are refused`,
    );
  }
  throw refused.at(-1) ?? new TypeError('a route was tried, and nothing was thrown');
}

/** The model that can be asked again first; null: none waits, or their accounts are refused. */
function findSoonest(
  models: readonly CatalogEntry[],
  pauses: readonly (Pause | null)[],
): { entry: CatalogEntry; pause: Pause } | null {
  const waiting = models.flatMap((entry, i) => {
    const pause = pauses[i] ?? null;
    return pause === null || pause.isRefused ? [] : [{ entry, pause }];
  });
  return waiting.toSorted((a, b) => a.pause.ms - b.pause.ms)[0] ?? null;
}

/** Why another model may go on, once it is noted for all tasks that this one cannot; null: the run ends with the error. */
async function toDetour(
  error: unknown,
  entry: CatalogEntry,
  { db, availability }: ByRouteParts,
): Promise<string | null> {
  if (error instanceof AccountRefusedError) {
    await availability.noteRefused(entry);
    return `its provider refuses the account: ${error.message}`;
  }
  if (error instanceof RateLimitedError) {
    await coolDown(db, entry.id, error.retryAfterMs);
    return 'it is rate limited';
  }
  if (error instanceof ShardsUsedUpError) return 'its quota is used up';
  if (error instanceof ModelCoolingError) return error.isForMoney ? null : 'it cools down';
  // One failed call is no outage: the job's own wait follows, and the outcome counts it.
  if (!(error instanceof ProviderUnavailableError)) return null;
  const [pause = null] = await availability.read([entry]);
  return pause === null ? null : 'its provider is down';
}

async function note({ db, note: write }: ByRouteParts, line: string): Promise<void> {
  await write?.(`${db.clock.date().toISOString()} ${line}`);
}
