import type { PermitAnswer, ProjectView, WaitReason } from './types.ts';
import type { ShardProject } from './shard-project.ts';

/** Why and until when a project has no room. */
interface Closure {
  reason: WaitReason;
  /** By performance.now(). */
  endsAt: number;
}

/** When the first of some projects opens. */
export interface Opening {
  /** 0: one of them is open, or only its window is full. */
  inMs: number;
  reason: WaitReason;
}

/**
 * This process's view of when each project next has room. It saves useless requests for places; the quota in Redis
 * decides.
 */
export class Closures {
  readonly #closures = new Map<string, Closure>();

  close({ id }: ShardProject, reason: WaitReason, ms: number): void {
    this.#closures.set(id, { endsAt: performance.now() + ms, reason });
  }

  /** Takes over what the quota answered. A full window closes nothing, because its places become free one by one. */
  update(project: ShardProject, { reason, delayMs }: ProjectView): void {
    if (reason === 'too-large' || isKeyReason(reason)) return; // another query may still have room
    if (reason === '' || reason === 'minute') this.#closures.delete(project.id);
    else this.close(project, reason, delayMs);
  }

  /** Opens a project that was closed for this reason. */
  lift({ id }: ShardProject, reason: WaitReason): void {
    if (this.#closures.get(id)?.reason === reason) this.#closures.delete(id);
  }

  /** How long the project stays closed, ms; 0: open. */
  remainingMs({ id }: ShardProject): number {
    return Math.max(0, (this.#closures.get(id)?.endsAt ?? 0) - performance.now());
  }

  nextOpening(projects: readonly ShardProject[]): Opening {
    const [first = { inMs: 0, reason: 'minute' }] = projects
      .map((project): Opening => {
        return { inMs: this.remainingMs(project), reason: this.#closures.get(project.id)?.reason ?? 'minute' };
      })
      .sort((a, b) => a.inMs - b.inMs);
    return first;
  }

  /**
   * The answer to a query that must wait outside the gate: until a project opens, and at least until a place becomes
   * free.
   */
  toWaitAnswer(projects: readonly ShardProject[]): PermitAnswer {
    const { inMs, reason } = this.nextOpening(projects);
    const placeEveryMs = Math.min(...projects.map(({ heldMs, rpm }) => heldMs / rpm));
    return { kind: 'wait', reason, untilMs: Date.now() + Math.ceil(Math.max(inMs, placeEveryMs)) };
  }
}

const KEY_REASONS = ['failing', 'refused', 'excluded', 'other-key'] as const satisfies readonly WaitReason[];

/** Whether a reason concerns a shard's key alone. Every other reason concerns its whole project. */
export function isKeyReason(reason: string): reason is (typeof KEY_REASONS)[number] {
  return (KEY_REASONS as readonly string[]).includes(reason);
}
