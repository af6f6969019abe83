import { z } from 'zod';
import type { Usage } from '../../queues/usage.ts';
import type { CostVendor } from '../redis/keys.ts';
import { toStoredCount, toStoredTime } from '../redis/stored-record.ts';

/** What a call is booked by once its cost is known. Each reservation holds it. */
export interface Stamp {
  vendor: CostVendor;
  /** First part of its ledger fields (`toLedgerRow`). */
  row: string;
  session: string;
  model: string;
  /** See `createTurnLedger`. */
  apart?: string;
}

/** A reservation as Redis holds it, of a call that is out or whose cost is uncertain. */
export interface Reservation {
  /** `job#epoch:turn#worker#instant.nonce` */
  id: string;
  jobId: string;
  turn: string;
  workerId: string;
  /** ms since 1970. */
  reservedAt: number;
  /** The worst case; of a call whose stream broke: of the part that was not reported. Nano-dollars. */
  nanoUsd: number;
  /** What a broken stream had reported, which is booked. Null: nothing. */
  reported: { nanoUsd: number; usage: Usage } | null;
  /** Keys of the budgets that it counts against. */
  scopes: string[];
  /** Null: an older version wrote the reservation. */
  stamp: Stamp | null;
}

const stampSchema = z.object({
  vendor: z.string(),
  row: z.string(),
  session: z.string(),
  model: z.string(),
  apart: z.string().optional(),
});

/** The stamp as a part of a packed reservation, whose parts `|` separates. `begin-turn.lua` writes it. */
export function toStampText(stamp: Stamp): string {
  return JSON.stringify(stamp).replaceAll('|', String.raw`\u007c`);
}

/** Parses `worst|reserved at|part|part…`: see `lib/reservation.lua`. */
export function parseReservation(id: string, packed: string): Reservation {
  const [worst = '0', reservedAt = '0', ...parts] = packed.split('|');
  const [job, place = '', workerId = ''] = splitId(id);
  return {
    id,
    jobId: job,
    turn: place.slice(place.indexOf(':') + 1),
    workerId,
    reservedAt: toStoredTime(reservedAt).getTime(),
    nanoUsd: toStoredCount(worst),
    reported: parseReported(parts.find((part) => part.startsWith('+'))),
    scopes: parts.filter((part) => !/^[+=]/.test(part)),
    stamp: parseStamp(parts.find((part) => part.startsWith('='))),
  };
}

/** Only the job's id may hold a `#`. */
function splitId(id: string): [job: string, ...rest: string[]] {
  const parts = id.split('#');
  return [parts.slice(0, -3).join('#'), ...parts.slice(-3)];
}

function parseReported(part: string | undefined): Reservation['reported'] {
  if (part === undefined) return null;
  const [nanoUsd = 0, input = 0, cache_write = 0, cache_read = 0, output = 0] = part
    .slice(1)
    .split(',')
    .map(toStoredCount);
  return { nanoUsd, usage: { input, cache_write, cache_read, output } };
}

function parseStamp(part: string | undefined): Stamp | null {
  if (part === undefined) return null;
  try {
    const { apart, ...stamp } = stampSchema.parse(JSON.parse(part.slice(1)));
    return { ...stamp, ...(apart === undefined ? {} : { apart }) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}
