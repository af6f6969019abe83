import { createStructuredCalls, type StructuredCalls } from '../../../src/coordinator/calls/structured-call.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { TurnLedger } from '../../../src/ledger/types.ts';
import type { Model } from '../../../src/models/model.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

/** The structured calls of one run without a job, in a process that has just started. */
export function openStructuredCalls(
  redis: TestRedis,
  model: Model,
  options: { jobId?: string; ledger?: Partial<TurnLedger>; signal?: AbortSignal; isDraining?: () => boolean } = {},
): StructuredCalls & { lines: string[] } {
  const { jobId = 'mission-test', isDraining = () => false } = options;
  const ledger = createTurnLedger({
    db: redis.db,
    workerId: 'coordinator_test_001',
    queue: 'missions',
    apart: 'coordinator',
  });
  const lines: string[] = [];
  const calls = createStructuredCalls({
    model,
    catalog: createCatalog([]),
    ledger: { ...ledger, ...options.ledger },
    identity: {
      jobId,
      token: '',
      attempt: 0,
      digest: 'as-asked',
      findingId: `finding_of_${jobId}`,
      session: 'today',
      batch: null,
      missionId: jobId,
      budgetNanoUsd: null,
    },
    signal: options.signal ?? new AbortController().signal,
    isDraining,
    workerId: 'coordinator_test_001',
    now: () => new Date(),
    note: async (line) => lines.push(line),
  });
  return { ...calls, lines };
}
