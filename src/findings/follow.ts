import type { Db } from '../redis/db.ts';
import { followStream, readStreamEnd } from '../redis/streams.ts';
import { undefinedOnAbort } from '../process/abort.ts';
import { isOfShard } from './marks.ts';
import { parseFinding, readStoredTexts, withAdopted } from './stored.ts';
import type { FollowOptions, StoredFinding } from './types.ts';
import { withOriginals } from './condensed.ts';

/**
 * Yields findings in the order in which they are stored, from this call on, until `signal` fires or the caller leaves the
 * loop. Each iteration has its own connection, which its first step opens.
 */
export function followFindings(
  parts: { db: Db; url: string },
  options: FollowOptions,
  signal: AbortSignal,
): AsyncIterable<StoredFinding> {
  const { db, url } = parts;
  const { redis, keys } = db;
  const start = readStreamEnd(redis, keys.events);
  start.catch(() => undefined); // the first step awaits it and throws

  async function* follow(): AsyncGenerator<StoredFinding> {
    const from = await start;
    for await (const { entries, connection } of followStream(url, keys.events, {
      name: 'fleet-follow',
      signal,
      from,
    })) {
      const reader = { ...db, redis: connection }; // its connection waits through outages
      for (const { finding: id = '', session, batch } of entries) {
        if (options.session !== undefined && session !== options.session) continue;
        if (options.batch !== undefined && batch !== options.batch) continue;
        const [text = null] = (await undefinedOnAbort(readStoredTexts(reader, [id]), signal)) ?? []; // old programs store hashes
        if (text === null) continue;
        const [whole] = (await undefinedOnAbort(withOriginals(reader, [id], [text]), signal)) ?? []; // condensed meanwhile
        const [known] = (await undefinedOnAbort(withAdopted(reader, [id], [whole ?? text]), signal)) ?? [];
        const finding = parseFinding(id, db.redact(known ?? text));
        if (finding === null || !isOfShard(finding, options.shard)) continue;
        yield finding;
      }
    }
  }

  return follow();
}
