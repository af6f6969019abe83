import type { Redis } from 'ioredis';
import type { HaltSwitch } from './halt.ts';

/** Above this share of its memory limit, Redis may soon refuse to store a paid reply. */
const HALT_SHARE = 0.8;

/**
 * Halts the fleet before Redis refuses writes. Redis without `maxmemory` has no limit to check.
 * @returns share of the limit in use, 0..1; null without a limit
 */
export async function checkMemory(redis: Redis, halt: HaltSwitch, by: string): Promise<number | null> {
  const info = await redis.info('memory');
  const used = readField(info, 'used_memory');
  const limit = readField(info, 'maxmemory');
  if (limit === 0) return null;
  const share = used / limit;
  if (share >= HALT_SHARE) {
    await halt.halt({
      reason: 'redis-memory',
      step: "watching Redis' memory",
      by,
      detail: `Redis uses ${toMegabytes(used)} of ${toMegabytes(limit)} MB (${Math.floor(share * 100)} %); the fleet stops at ${HALT_SHARE * 100} % so that nothing paid for is refused`,
    });
  }
  return share;
}

function readField(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

function toMegabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}
