import { SwarmRefusedError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import type { SwarmKind } from '../redis/preflight.ts';
import { readMany } from '../redis/read-many.ts';
import { hasFields, parseRecord } from '../redis/stored-record.ts';

/**
 * Stores which swarms may read the findings of this one. Every process does so when it starts: the last one to start decides, as it
 * does for all other variables of a fleet.
 */
export async function publishSharing({ redis, keys, clock }: Db, names: readonly string[]): Promise<void> {
  if (names.length === 0) await redis.del(keys.sharedWith);
  else await redis.set(keys.sharedWith, JSON.stringify({ names, at: clock.date().toISOString() }));
}

/** Reads which swarms may read the findings of the given one. A damaged record shares with none. */
export async function readSharing({ redis, keys }: Db): Promise<string[]> {
  return parseSharing((await readMany(redis, { text: (r) => r.get(keys.sharedWith) })).text);
}

/**
 * Checks in one round trip whether a swarm lets another one read its findings.
 * @param db of the swarm that is to be read
 * @param reader name of the swarm that wants to
 * @returns the kind of its work
 * @throws SwarmRefusedError `not-shared-there` or `empty`
 */
export async function requireShared({ redis, keys }: Db, reader: string): Promise<SwarmKind> {
  const { kind, text } = await readMany(redis, {
    kind: (r) => r.hget(keys.swarmMark, 'kind'),
    text: (r) => r.get(keys.sharedWith),
  });
  if (kind === null) {
    throw new SwarmRefusedError(
      keys.swarm,
      'empty',
      `swarm ${keys.swarm}: no process of it ever ran on its Redis; check the name in FLEET_READ_SWARMS`,
    );
  }
  if (!parseSharing(text).includes(reader)) {
    throw new SwarmRefusedError(
      keys.swarm,
      'not-shared-there',
      `swarm ${keys.swarm} does not share with ${reader}: set FLEET_SHARE_WITH=${reader} there, then \`fleet reload\` there`,
    );
  }
  return kind === 'simulated' ? 'simulated' : 'real';
}

function parseSharing(text: string | null): string[] {
  const record = parseRecord(text);
  if (!hasFields(record, { names: 'list' })) return [];
  return (record['names'] as unknown[]).filter((name): name is string => typeof name === 'string');
}
