import type { Redis } from 'ioredis';
import { connectRedis } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { parseFinding, type StoredFinding } from './stored-finding.ts';
import type { FollowOptions } from './store-shape.ts';

/** The reader comes up for air this often; a longer block would only keep a dead connection unnoticed. */
const BLOCK_MS = 5_000;
const CHUNK = 100;

/**
 * Findings in the order they are stored, from the moment of this call on, until `signal` fires or the loop is left. Each
 * follower has a connection of its own, opened by its first step; what is stored while Redis is away comes afterwards.
 */
export function followFindings(
  parts: { redis: Redis; keys: Keys; url: string },
  options: FollowOptions,
  signal: AbortSignal,
): AsyncIterable<StoredFinding> {
  const { redis, keys, url } = parts;
  const start = readLastId(redis, keys);
  start.catch(() => undefined); // thrown to whoever takes the first step

  async function* follow(): AsyncGenerator<StoredFinding> {
    let last = await start;
    if (signal.aborted) return;
    const connection = await connectRedis(url, { role: 'worker', name: 'fleet-follow', signal });
    const end = (): void => connection.disconnect();
    signal.addEventListener('abort', end, { once: true });
    try {
      for (;;) {
        const reply = await connection.xread('COUNT', CHUNK, 'BLOCK', BLOCK_MS, 'STREAMS', keys.events, last);
        for (const [entryId, fields] of reply?.[0]?.[1] ?? []) {
          last = entryId;
          const event = toEvent(fields);
          if (options.session !== undefined && event['session'] !== options.session) continue;
          if (options.batch !== undefined && event['batch'] !== options.batch) continue;
          const id = event['finding'] ?? '';
          const text = await connection.get(keys.finding(id));
          const finding = text === null ? null : parseFinding(id, text);
          if (finding !== null) yield finding;
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  return follow();
}

async function readLastId(redis: Redis, keys: Keys): Promise<string> {
  const [newest] = await redis.xrevrange(keys.events, '+', '-', 'COUNT', 1);
  return newest?.[0] ?? '0-0';
}

function toEvent(fields: string[]): Record<string, string> {
  const event: Record<string, string> = {};
  for (let at = 0; at + 1 < fields.length; at += 2) event[fields[at] ?? ''] = fields[at + 1] ?? '';
  return event;
}
