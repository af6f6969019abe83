import { readKnownNames, toConfigured } from '../../tasks/known-names.ts';
import { countOf } from '../../text/plural.ts';
import type { Logger } from '../../process/logger.ts';
import { isAnyoneUp } from '../../swarm/presence.ts';
import type { Notifier } from '../../swarm/notify.ts';
import { toDependenciesKey, type ChildParts } from '../mission/children.ts';
import { readMissionHead, writeMission } from '../mission/record.ts';
import type { Db } from '../../redis/db.ts';
import { countEvent } from '../../swarm/count-event.ts';

export interface ReportParts extends ChildParts {
  notifier: Notifier;
  log: Logger;
  now(): Date;
}

/** Children that are checked to find out what a mission waits for. */
const LOOKED_AT = 500;
/** A mission that waits for less than this is not reported: a worker or librarian may be starting. */
const GRACE_MS = 15_000;

/**
 * Reports that a mission waits for something that cannot happen by itself: in its record, its job's log, the notices and
 * this process' log.
 */
export async function reportBlocked(parts: ReportParts, id: string): Promise<void> {
  const { db, queues, notifier, log, now } = parts;
  const head = await readMissionHead(db, id);
  if (head === null || head.state !== 'running') return;
  const problem = await findProblem(parts, id, head.workspace);
  if (problem === head.problem) return;
  if (problem !== '' && head.problem === '' && !(await isOverdue(parts, id))) return;
  await writeMission(db, id, { problem }, now());
  if (problem === '') return;
  await countEvent(db, 'missions_stuck');
  await (await queues.missions.getJob(id))?.log(`${now().toISOString()} blocked: ${problem}`);
  log.warn({ mission: id, problem }, 'a mission waits for what cannot come by itself');
  notifier.notify(`mission-stuck:${id}:${problem}`, { event: 'mission-stuck', mission: id, detail: problem });
}

/** Whether the mission has waited for its children for longer than the grace period. */
async function isOverdue({ db: { redis, keys }, now }: ReportParts, id: string): Promise<boolean> {
  const since = await redis.zscore(keys.queueKey('missions', 'waiting-children'), id);
  return since !== null && now().getTime() - Number(since) >= GRACE_MS;
}

/** @returns a text if all children that a mission waits for are parked; empty: some of them may run by themselves */
export async function describeAllParked(db: Db, id: string): Promise<string> {
  return describeParked(db, id, await readOpen(db, id));
}

/** @returns why no child of the mission can run; empty: some may */
async function findProblem(parts: ReportParts, id: string, workspace: string | null): Promise<string> {
  const { db } = parts;
  const jobs = await readOpen(db, id);
  if (jobs.length === 0) return '';
  const tasks = jobs.flatMap(([queue, jobId]) => (queue === 'tasks' && jobId !== undefined ? [jobId] : []));
  const allParked = await describeParked(db, id, jobs);
  if (allParked !== '') return allParked;
  if (tasks.length > 0) {
    const { workspaces } = await readKnownNames(db, toConfigured({ FLEET_WORKSPACES: {}, models: [] }));
    if (workspaces === null) return 'no worker is up for its tasks; fleet up starts some';
    if (workspace !== null && !workspaces.has(workspace)) {
      return `no worker that is up has its workspace ${JSON.stringify(workspace)} (FLEET_WORKSPACES)`;
    }
  }
  if (tasks.length < jobs.length) {
    if (await isAnyoneUp(db, 'librarian')) return '';
    return 'no librarian is up for its question to the archive; fleet up starts one';
  }
  return '';
}

/** Reads queue and id of some of the jobs that the mission waits for. */
async function readOpen({ redis, keys }: Db, id: string): Promise<string[][]> {
  const [, children] = await redis.sscan(toDependenciesKey(keys, id), '0', 'COUNT', LOOKED_AT);
  return children.slice(0, LOOKED_AT).map((key) => key.slice(keys.bullPrefix.length + 1).split(':'));
}

async function describeParked({ redis, keys }: Db, id: string, jobs: readonly string[][]): Promise<string> {
  if (jobs.length === 0) return '';
  const marks = await redis.hmget(keys.parked, ...jobs.map(([, jobId]) => jobId ?? ''));
  if (marks.includes(null)) return '';
  return `all it waits for is parked: ${countOf(jobs.length, 'job')}; fleet budget USD --mission ${id} gives it more`;
}
