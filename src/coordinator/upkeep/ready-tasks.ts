import { missionsQueue } from '../../../queues/missions.ts';
import { toTaskFor } from '../../jobs/offer.ts';
import { toOwner } from '../../../queues/owner.ts';
import { delegateReady, type DelegatedMission, type DelegateParts } from '../delegate/delegate.ts';
import { readVendorStamp, toAllowedVendors } from '../../routing/allowed-vendors.ts';
import { countNodeStates } from '../mission/nodes.ts';
import { readMission, readMissionFields, writeMission } from '../mission/record.ts';

/** A mission rests for this many times the duration of its last check, so that large missions are checked less often. */
const REST_FACTOR = 10;

/** Adds the tasks of waiting missions as they become ready. Keeps the missions' plans in memory: a stored plan does not change. */
export class ReadyTasks {
  readonly #parts: DelegateParts & { now(): Date };
  readonly #known = new Map<string, DelegatedMission>();
  readonly #restUntil = new Map<string, number>();

  constructor(parts: DelegateParts & { now(): Date }) {
    this.#parts = parts;
  }

  remember(mission: DelegatedMission): void {
    this.#known.set(mission.id, mission);
  }

  /** Whether a known mission has tasks that depend on others. */
  hasDependencies(id: string): boolean {
    return this.#known.get(id)?.nodes.some((node) => node.dependsOn.length > 0) ?? false;
  }

  /** Forgets the missions that wait no longer. @returns their ids */
  forgetExcept(waiting: readonly string[]): string[] {
    const gone = [...this.#known.keys()].filter((id) => !waiting.includes(id));
    for (const id of gone) {
      this.#known.delete(id);
      this.#restUntil.delete(id);
    }
    return gone;
  }

  /** Adds the tasks of one mission that became ready, and stores its counts. Does nothing while the mission rests. */
  async add(id: string): Promise<void> {
    if (performance.now() < (this.#restUntil.get(id) ?? 0)) return;
    const { db, now } = this.#parts;
    const { redis, keys } = db;
    const startedAt = performance.now();
    const [[state = null], cancelled] = await Promise.all([
      readMissionFields(db, id, 'state'),
      redis.zscore(keys.cancelled, id),
    ]);
    const mission = state === 'running' && cancelled === null ? await this.#load(id) : null;
    if (mission === null) return;
    const counts = countNodeStates(await delegateReady(this.#parts, mission));
    if (await this.#isWaiting(id)) await writeMission(db, id, { counts, added: counts.added }, now());
    this.#restUntil.set(id, performance.now() + REST_FACTOR * (performance.now() - startedAt));
  }

  /** @returns null: the mission has no plan yet */
  async #load(id: string): Promise<DelegatedMission | null> {
    const found = this.#known.get(id);
    if (found !== undefined) return found;
    const { db, queues, config } = this.#parts;
    const record = await readMission(db, id);
    if (record === null || record.nodes.length === 0) return null;
    const job = await queues.missions.getJob(id);
    const { topics, isolate, ...data } = Object(job?.data) as Record<'topics' | 'isolate', unknown>;
    const mission = {
      id,
      session: record.session,
      workspace: record.workspace,
      topics: Array.isArray(topics) ? topics.map(String) : [],
      isolate: isolate !== false,
      for: toTaskFor(data),
      vendors: toAllowedVendors(
        { workspace: record.workspace ?? undefined, vendors: readVendorStamp(data) },
        config.workspaceVendors,
      ),
      nodes: record.nodes,
      ...toOwner(data),
    };
    this.#known.set(id, mission);
    return mission;
  }

  async #isWaiting(id: string): Promise<boolean> {
    const { redis, keys } = this.#parts.db;
    return (await redis.zscore(keys.queueKey(missionsQueue.name, 'waiting-children'), id)) !== null;
  }
}
