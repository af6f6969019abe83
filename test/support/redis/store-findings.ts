import type { Finding } from '../../../src/findings/finding.ts';
import { noteFinding } from '../../../src/findings/store.ts';
import type { TestRedis } from './use-redis.ts';

/** Stores findings as other programs do: only the key. */
export async function storeExternal(redis: TestRedis, findings: Record<string, object | string>): Promise<void> {
  for (const [id, finding] of Object.entries(findings)) {
    await redis.redis.set(redis.keys.finding(id), typeof finding === 'string' ? finding : JSON.stringify(finding));
  }
}

/** Records findings as the fleet does, with these fields and no others but id, instant, topics and session. Default session: none. */
export async function storeFindings(redis: TestRedis, findings: Record<string, Partial<Finding>>): Promise<void> {
  for (const [id, fields] of Object.entries(findings)) await storeFinding(redis, id, fields);
}

/** Records findings `<session>-<n>` as tasks leave them, an hour apart, one session after the other. */
export async function storeSessions(redis: TestRedis, counts: Record<string, number>): Promise<void> {
  const sessions = Object.entries(counts).flatMap(([session, count]) =>
    Array.from({ length: count }, (_, i) => ({ session, n: i + 1 })),
  );
  await Promise.all(
    sessions.map(({ session, n }, i) =>
      storeFinding(redis, `finding_${session}-${n}`, {
        worker_id: 'haiku_box_001',
        timestamp: '1970-01-02T00:00:00.000000',
        task: `Task ${n} of ${session}`,
        result: `What ${session} learned, part ${n}`,
        files_changed: [],
        citations: [],
        tokens_used: 300,
        cost: 0.0011,
        at: new Date((i + 1) * 3_600_000).toISOString(),
        summary: `What ${session} learned`,
        session,
        batch: null,
        mission_id: null,
        job_id: `job-${session}-${n}`,
        topics: [session],
      }),
    ),
  );
}

async function storeFinding({ db }: TestRedis, id: string, fields: Partial<Finding>): Promise<void> {
  const finding = { finding_id: id, at: new Date().toISOString(), session: '', topics: [], ...fields };
  if (!(await noteFinding(db, finding as Finding))) throw new Error(`finding ${id} is there already`);
}
