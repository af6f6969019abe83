import type { TestRedis } from './use-redis.ts';

/** Stores findings as other programs do: a key, and nothing else. */
export async function storeExternal(redis: TestRedis, findings: Record<string, object | string>): Promise<void> {
  for (const [id, finding] of Object.entries(findings)) {
    await redis.redis.set(redis.keys.finding(id), typeof finding === 'string' ? finding : JSON.stringify(finding));
  }
}

/** Stores findings and lets the fleet know of them, as a task's end does. */
export async function storeFindings(redis: TestRedis, findings: Record<string, object>): Promise<void> {
  const { keys } = redis;
  for (const [id, finding] of Object.entries(findings)) {
    const at = 'at' in finding && typeof finding.at === 'string' ? Date.parse(finding.at) : Date.now();
    const text = JSON.stringify({ finding_id: id, at: new Date(at).toISOString(), ...finding });
    await redis.redis
      .multi()
      .set(keys.finding(id), text)
      .zadd(keys.index, at, id)
      .incrby(keys.contextActive, Math.ceil(text.length / 4))
      .xadd(keys.events, '*', 'finding', id, 'session', '', 'batch', '', 'topics', '')
      .exec();
  }
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
