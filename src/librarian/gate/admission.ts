import type { ShardProject } from './shard-project.ts';
import type { PermitAnswer, ProjectView, WaitReason } from './types.ts';
import { isKeyReason } from './closures.ts';

/** What a query does after the first look at the quota: it takes an answer at once, or waits for a permit. */
export type Admission =
  | { kind: 'answer'; answer: PermitAnswer }
  /** `projects`: where it may wait; `first`: the one that has room now, null where none has. */
  | { kind: 'queue'; projects: ShardProject[]; first: ShardProject | null };

type FittingView = ProjectView & { reason: WaitReason | '' };

/**
 * Decides from the quota's view of each allowed project. `turn` spreads queries evenly: the projects are tried from
 * that position on.
 * @param maxWaitMs the longest that a query waits in this process
 */
export function decideAdmission(
  { turn, views }: { turn: number; views: readonly ProjectView[] },
  maxWaitMs: number,
): Admission {
  const fitting = views.filter((view): view is FittingView => view.reason !== 'too-large');
  if (fitting.length === 0) {
    return { kind: 'answer', answer: { kind: 'too-large', limitTokens: Math.max(...views.map(({ tpm }) => tpm)) } };
  }
  const [soonest] = fitting.toSorted((a, b) => a.delayMs - b.delayMs);
  const projects = fitting.filter(({ reason }) => !isKeyReason(reason)).map(({ project }) => project);
  if (soonest && soonest.reason !== '' && (projects.length === 0 || soonest.delayMs > maxWaitMs)) {
    const untilMs = Date.now() + soonest.delayMs;
    return { kind: 'answer', answer: { kind: 'wait', untilMs, reason: soonest.reason } };
  }
  const inTurn = views.map((_, i) => views[(turn + i) % views.length]);
  const first = inTurn.find((view) => view?.reason === '')?.project ?? null;
  return { kind: 'queue', projects, first };
}
