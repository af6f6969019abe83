import type { ArchiveInput } from '../../../queues/archive.ts';
import type { TaskInput } from '../../../queues/tasks.ts';
import { toOwner } from '../../../queues/owner.ts';
import { toFindingId } from '../../findings/finding.ts';
import { parseFinding, readFindingTexts } from '../../findings/stored.ts';
import { checkInput } from '../../jobs/check-input.ts';
import { toQueryIds } from '../../librarian/queries/enqueue.ts';
import { addChildren, readChildren, toDependenciesKey, type ChildParts, type ChildRef } from '../mission/children.ts';
import { toVendorStamp } from '../../routing/allowed-vendors.ts';
import type { MissionJob } from './job.ts';
import type { ChildEnd, Mission } from './types.ts';

/**
 * The queries and tasks that a mission waits for one by one. Each is a child of the mission's job; while one is open the
 * run ends and holds no slot (`MissionJob.waitForChildren`).
 *
 * Delivery contract: a child of the same id is added once, however often a run comes to the same line.
 */
export class MissionChildren {
  readonly #parts: ChildParts;
  readonly #mission: Mission;
  readonly #job: MissionJob;

  constructor(parts: ChildParts, mission: Mission, job: MissionJob) {
    this.#parts = { db: parts.db, queues: parts.queues };
    this.#mission = mission;
    this.#job = job;
  }

  /**
   * Asks the archive and returns how the query ended.
   * @param query.queryId a query of this id is asked once
   * @throws what ends this run while the query is open; UsageError for a question that breaks a rule
   */
  async query({ queryId, ...input }: ArchiveInput & { queryId: string }): Promise<ChildEnd> {
    const { id, session, data: mission, vendors } = this.#mission;
    const data = checkInput('archive', 'query', { mission_id: id, ...input }, 'question');
    const ids = toQueryIds(queryId);
    const stamps = {
      session,
      ...toOwner(mission),
      query_id: ids.queryId,
      finding_id: ids.findingId,
      ...toVendorStamp(vendors),
    };
    return this.#complete('archive', ids, { ...data, ...stamps });
  }

  /** Whether a query of this id was added. */
  async hasQuery(queryId: string): Promise<boolean> {
    return (await this.#parts.queues.archive.getJob(toQueryIds(queryId).jobId)) !== undefined;
  }

  /**
   * Adds one task as job `taskId` and returns how it ended.
   * @throws what ends this run while the task is open; UsageError for a task that breaks a rule
   */
  async task({ taskId, ...input }: TaskInput & { taskId: string }): Promise<ChildEnd> {
    const { id, session, data: mission, vendors } = this.#mission;
    const data = checkInput('tasks', 'task', input);
    const ref = { jobId: taskId, findingId: toFindingId(taskId, data.finding_id) };
    return this.#complete('tasks', ref, {
      ...data,
      session,
      ...toOwner(mission),
      mission_id: id,
      ...toVendorStamp(vendors),
    });
  }

  /** Adds the job unless it exists, waits for it, and reads its end. */
  async #complete(queue: 'tasks' | 'archive', ref: ChildRef, data: object): Promise<ChildEnd> {
    for (;;) {
      const [found = { state: 'absent' as const }] = await readChildren(this.#parts.db, queue, [ref]);
      if (found.state === 'failed') return found;
      if (found.state === 'done') return this.#readEnd(ref);
      const isTied = found.state === 'open' && (await this.#isTied(queue, ref));
      if (!isTied) await addChildren(this.#parts, this.#mission.id, queue, [{ jobId: ref.jobId, data }]);
      await this.#job.waitForChildren();
    }
  }

  /** Whether BullMQ will report the end of this open job to the mission. */
  async #isTied(queue: 'tasks' | 'archive', { jobId }: ChildRef): Promise<boolean> {
    const { redis, keys } = this.#parts.db;
    return (await redis.sismember(toDependenciesKey(keys, this.#mission.id), keys.queueKey(queue, jobId))) === 1;
  }

  async #readEnd({ findingId }: ChildRef): Promise<ChildEnd> {
    const [text = null] = await readFindingTexts(this.#parts.db, [findingId]);
    const finding = text === null ? null : parseFinding(findingId, text);
    if (finding === null) return { state: 'failed', reason: `missing: finding ${findingId} cannot be read` };
    return { state: 'completed', finding };
  }
}
