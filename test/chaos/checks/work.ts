import type { OpenFleet } from '../../../src/api/open-fleet.ts';
import type { Wanted } from '../work.ts';
import { exactly, type Row } from './result.ts';

/** Compares what was asked for with what is there. */
export async function checkWork(fleet: OpenFleet, wanted: Wanted, say: (line: string) => void): Promise<Row[]> {
  const { db, queues } = fleet.inner;
  const failed = (await Promise.all(Object.values(queues).map((queue) => queue.getFailed()))).flat();
  const quarantined = failed.filter((job) => job.failedReason.startsWith('quarantined'));
  const others = failed.filter((job) => !quarantined.includes(job));
  for (const job of [...others, ...quarantined].slice(0, 20))
    say(`failed: ${job.queueName} ${job.id}: ${job.failedReason}`);
  const failedIds = new Set(failed.map((job) => job.id));

  let lost = 0;
  for (const [id, findingId] of wanted.findings) {
    if (failedIds.has(id)) continue;
    if ((await db.redis.exists(db.keys.finding(findingId))) === 0) {
      lost += 1;
      if (lost <= 20) say(`lost: ${id}`);
    }
  }
  const owners = new Map<string, number>();
  for await (const finding of fleet.findings.each()) {
    const owner = String(finding['job_id']);
    owners.set(owner, (owners.get(owner) ?? 0) + 1);
  }
  const twice = [...owners.values()].filter((count) => count > 1).length;
  const records = await Promise.all(wanted.missions.map((id) => db.redis.hget(db.keys.mission(id), 'state')));
  return [
    exactly('tasks, questions and missions lost', lost, 0),
    exactly('findings written twice', twice, 0),
    exactly('innocents quarantined', quarantined.length, 0),
    exactly('jobs failed for another reason', others.length, 0),
    exactly('missions done', records.filter((state) => state === 'done').length, wanted.missions.length),
  ];
}
