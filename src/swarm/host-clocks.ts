import { hostname } from 'node:os';
import type { Db } from '../redis/db.ts';
import type { HostClock } from './types.ts';

/** A host whose clock differs by more is named to the operator. */
export const SKEW_LIMIT_MS = 2_000;
/** An older note is of a host whose clock is right again, or whose processes are gone. */
const GONE_AFTER_MS = 75_000;

/** Notes that the clock of this host is off, with each sign of life of a process. Writes nothing where it is right. */
export async function noteHostClock({ redis, keys, clock }: Db): Promise<void> {
  const skewMs = clock.skewMs();
  if (!isOff(skewMs)) return;
  await redis
    .multi()
    .hset(keys.hostClocks, hostname(), `${skewMs}|${clock.now()}`)
    .pexpire(keys.hostClocks, GONE_AFTER_MS)
    .exec();
}

/**
 * Returns the hosts whose clocks are off, by name: those that live processes noted, and this one.
 * @param records what `keys.hostClocks` holds
 * @param now ms by Redis' clock
 */
export function toHostClocks(records: Record<string, string>, { clock }: Pick<Db, 'clock'>, now: number): HostClock[] {
  const skews = new Map<string, number>();
  for (const [host, text] of Object.entries(records)) {
    const [skewMs = Number.NaN, at = Number.NaN] = text.split('|').map(Number);
    if (isOff(skewMs) && now - at < GONE_AFTER_MS) skews.set(host, skewMs);
  }
  const own = clock.skewMs();
  if (own !== null && isOff(own)) skews.set(hostname(), own);
  return [...skews].map(([host, skewMs]) => ({ host, skewMs })).sort((a, b) => a.host.localeCompare(b.host));
}

/** `2 h 10 min ahead of Redis`, `3 s behind Redis`. */
export function describeSkew(skewMs: number): string {
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const parts = [`${days} d`, `${hours} h`, `${minutes} min`, `${seconds % 60} s`];
  const told = parts.filter((part) => !part.startsWith('0 ')).slice(0, 2);
  return `${told.length === 0 ? '0 s' : told.join(' ')} ${skewMs < 0 ? 'behind' : 'ahead of'} Redis`;
}

function isOff(skewMs: number | null): skewMs is number {
  return skewMs !== null && Math.abs(skewMs) > SKEW_LIMIT_MS;
}
