import type { CompactParts } from '../../../src/coordinator/compact/types.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import { createLogger } from '../../../src/process/logger.ts';
import type { Model, ModelRequest } from '../../../src/models/model.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

/** The parts of a compaction in the test's swarm, as in a coordinator process. */
export async function compactParts(
  redis: TestRedis,
  model: Model,
  more: Partial<CompactParts> = {},
): Promise<CompactParts & { lines: string[] }> {
  const db = await redis.connectDb();
  const now = (): Date => new Date();
  const lines: string[] = [];
  return {
    db,
    ledger: createTurnLedger({
      db: db,
      workerId: 'coordinator_test_001',
      queue: 'missions',
    }),
    model,
    catalog: createCatalog([]),
    modelId: 'claude-haiku-5-5',
    currentSession: async () => 'now',
    workerId: 'coordinator_test_001',
    log: createLogger('test', 'silent'),
    now,
    signal: new AbortController().signal,
    isDraining: () => false,
    note: async (line) => lines.push(line),
    lines,
    ...more,
  };
}

/** Ids of the findings in a request. */
export function idsAsked(request: ModelRequest): string[] {
  return [...JSON.stringify(request.messages[0]?.content).matchAll(/<finding id=\\"([^"\\]+)\\"/g)].map(
    (match) => match[1] ?? '',
  );
}

/** A valid summary: it cites all findings that it was given. */
export function toReply(ids: readonly string[]): string {
  return JSON.stringify({ summary: `In short: ${ids.map((id) => `[${id}]`).join(' ')}`, citations: ids });
}
