import { createLogger } from '../../../src/process/logger.ts';
import { createRateGate, type RateGateOptions } from '../../../src/librarian/gate/rate-gate.ts';
import type { Permit, PermitAnswer, RateGate } from '../../../src/librarian/gate/types.ts';
import type { ShardLimits } from '../../../src/librarian/gate/shard-project.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** Shards 1…count, each a project of its own, with limits that a short test can meet. */
export function testShards(count: number, limits: Partial<ShardLimits> = {}): ShardLimits[] {
  return Array.from({ length: count }, (_, i) => ({
    number: i + 1,
    project: null,
    rpm: 15,
    rpd: 1_500,
    tpm: 250_000,
    windowMs: 60_000,
    ...limits,
  }));
}

/** The gate of one process, closed after the test. `lines`: its log. */
export async function openGate(
  fixture: TestRedis,
  shards: readonly ShardLimits[],
  options: Partial<RateGateOptions> = {},
): Promise<RateGate & { lines: string[] }> {
  const db = await fixture.connectDb();
  const lines: string[] = [];
  const log = createLogger('gate', 'debug', { write: (line) => void lines.push(line) });
  const gate = createRateGate({ db, shards, log, ...options });
  fixture.cleanup(() => gate.close());
  return { ...gate, lines };
}

export function acquire(
  gate: RateGate,
  request: { tokens?: number; exclude?: number[] } = {},
  signal = new AbortController().signal,
): Promise<PermitAnswer> {
  return gate.acquire({ tokens: 100, ...request }, { signal });
}

/** @throws Error that names the answer, if it is no permit */
export async function acquirePermit(
  gate: RateGate,
  request: { tokens?: number; exclude?: number[] } = {},
): Promise<Permit> {
  const answer = await acquire(gate, request);
  if (answer.kind !== 'permit') throw new Error(`expected a permit, got ${JSON.stringify(answer)}`);
  return answer;
}
