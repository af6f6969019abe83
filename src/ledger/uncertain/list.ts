import type { CostVendor } from '../../redis/keys.ts';
import type { Db } from '../../redis/db.ts';
import { scanHash } from '../scan-hash.ts';
import { toUtcDay } from '../../findings/timestamp.ts';
import { toLedgerRow } from '../booking-groups.ts';
import { parseReservation, type Reservation } from '../reservation.ts';

const OWN_SCOPES = ['client', 'batch', 'mission', 'rule', 'task'] as const;

/** A call whose cost is uncertain. */
export interface UncertainCall extends Omit<Reservation, 'stamp'> {
  /** Short name for people: the last part of its id. */
  name: string;
  /** The own budgets that hold it, besides the day's. */
  budgets: { scope: (typeof OWN_SCOPES)[number]; name: string }[];
  /** UTC day whose budget holds it, `YYYY-MM-DD`. */
  day: string;
  /** Null: an older version booked the call, which did not note it. */
  model: string | null;
  session: string;
  vendor: CostVendor;
  row: string;
  apart: string | null;
  /** As Redis holds it. */
  packed: string;
}

/** Reads all calls of uncertain cost, the oldest first. */
export async function readUncertain({ redis, keys }: Db): Promise<UncertainCall[]> {
  const calls = new Map<string, UncertainCall>(); // a scan may bring one twice
  for await (const [id, packed] of scanHash(redis, keys.uncertain)) calls.set(id, toCall(id, packed, keys.spend('')));
  return [...calls.values()].sort((a, b) => a.reservedAt - b.reservedAt || (a.id < b.id ? -1 : 1));
}

function toCall(id: string, packed: string, spendPrefix: string): UncertainCall {
  const { stamp, ...reservation } = parseReservation(id, packed);
  const scopes = reservation.scopes.map((scope) => scope.slice(spendPrefix.length));
  const find = (kind: string): string | null => {
    const found = scopes.find((scope) => scope.startsWith(`${kind}:`));
    return found === undefined ? null : found.slice(kind.length + 1);
  };
  const { workerId, reservedAt } = reservation;
  return {
    ...reservation,
    packed,
    name: id.slice(id.lastIndexOf('.') + 1),
    budgets: OWN_SCOPES.flatMap((scope) => {
      const name = find(scope);
      return name === null ? [] : [{ scope, name }];
    }),
    day: find('day') ?? toUtcDay(new Date(reservedAt)),
    model: stamp?.model ?? null,
    session: stamp?.session ?? '',
    vendor: stamp?.vendor ?? 'other',
    row:
      stamp?.row ?? toLedgerRow({ session: '', batch: find('batch'), missionId: find('mission'), model: '' }, workerId),
    apart: stamp?.apart ?? null,
  };
}
