import { toMessage } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import type { Db } from '../redis/db.ts';
import { hasFields, parseRecord } from '../redis/stored-record.ts';
import type { OtherSwarmState } from './state-types.ts';

/** A state that has not changed is stored again after this long, so that its time shows that somebody looks. */
const NOTE_AGAIN_MS = 30_000;

/**
 * Creates what stores the state of each other swarm, for `fleet status`, and logs its changes. A state that cannot be stored stops
 * nobody.
 */
export function createStateNote(
  { redis, keys, clock }: Db,
  log?: Pick<Logger, 'warn' | 'info'>,
): (state: Omit<OtherSwarmState, 'checkedAt'>) => Promise<void> {
  const noted = new Map<string, { reason: string | null; at: number }>();
  return async ({ name, refused, kind }) => {
    const reason = refused?.reason ?? null;
    const last = noted.get(name);
    const isNew = last === undefined || last.reason !== reason;
    if (!isNew && performance.now() - last.at < NOTE_AGAIN_MS) return;
    noted.set(name, { reason, at: performance.now() });
    if (isNew && refused !== null) log?.warn({ swarm: name, reason: refused.message }, 'another swarm is not read');
    if (isNew && refused === null && last !== undefined) log?.info({ swarm: name }, 'another swarm is read again');
    const known = kind ?? parseState(name, await redis.hget(keys.otherSwarms, name).catch(() => null))?.kind ?? null;
    const record = { refused, kind: known, checkedAt: clock.now() };
    await redis
      .hset(keys.otherSwarms, name, JSON.stringify(record))
      .catch((error: unknown) => log?.warn({ swarm: name, reason: toMessage(error) }, 'its state could not be stored'));
  };
}

/** Reads what processes of this swarm last found of the other ones. */
export function parseStates(records: Record<string, string>): OtherSwarmState[] {
  return Object.keys(records)
    .toSorted()
    .flatMap((name) => parseState(name, records[name]) ?? []);
}

function parseState(name: string, text: string | null | undefined): OtherSwarmState | null {
  const record = parseRecord(text);
  if (!hasFields(record, { checkedAt: 'number' })) return null;
  const { refused, kind } = record as { refused?: unknown; kind?: unknown };
  const isRefused = hasFields(refused, { reason: 'string', message: 'string' });
  return {
    name,
    refused: isRefused ? (refused as unknown as OtherSwarmState['refused']) : null,
    kind: kind === 'real' || kind === 'simulated' ? kind : null,
    checkedAt: Number(record['checkedAt']),
  };
}
