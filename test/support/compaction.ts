import type { CompactParts } from '../../src/coordinator/compact/types.ts';
import { createTurnLedger } from '../../src/ledger/turn-ledger.ts';
import { createLogger } from '../../src/process/logger.ts';
import type { Model, ModelRequest } from '../../src/models/model.ts';
import type { TestRedis } from './redis.ts';

/** What a compaction of the test's swarm works with, as a coordinator's process has it. */
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
      now,
      queue: 'missions',
    }),
    model,
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

/** Ids of the findings that a request shows. */
export function idsAsked(request: ModelRequest): string[] {
  return [...JSON.stringify(request.messages[0]?.content).matchAll(/<finding id=\\"([^"\\]+)\\"/g)].map(
    (match) => match[1] ?? '',
  );
}

/** A summary that cites what it was given, as a good model writes it. */
export function toReply(ids: readonly string[]): string {
  return JSON.stringify({ summary: `In short: ${ids.map((id) => `[${id}]`).join(' ')}`, citations: ids });
}

/** Findings `<session>-<n>`, an hour apart, stored as a task's end stores them. Sessions come one after the other. */
export async function storeSessions(redis: TestRedis, counts: Record<string, number>): Promise<void> {
  const { keys } = redis;
  const chain = redis.redis.pipeline();
  let hour = 0;
  for (const [session, count] of Object.entries(counts)) {
    for (let n = 1; n <= count; n += 1) {
      const id = `finding_${session}-${n}`;
      const at = (hour += 1) * 3_600_000;
      const text = JSON.stringify({
        finding_id: id,
        worker_id: 'haiku_box_001',
        timestamp: '1970-01-02T00:00:00.000000',
        task: `Task ${n} of ${session}`,
        result: `What ${session} learned, part ${n}`,
        files_changed: [],
        citations: [],
        tokens_used: 300,
        cost: 0.0011,
        at: new Date(at).toISOString(),
        summary: `What ${session} learned`,
        session,
        batch: null,
        mission_id: null,
        job_id: `job-${session}-${n}`,
        topics: [session],
      });
      chain.set(keys.finding(id), text).zadd(keys.index, at, id).zadd(keys.indexBySession(session), at, id);
      chain.incrby(keys.contextActive, Math.ceil(text.length / 4));
    }
  }
  await chain.exec();
}
