import { z } from 'zod';

/** A rule that started a task, and the finding for which it did. */
export interface ChainLink {
  /** Name of the rule; `ops/name` of a rule of swarm `ops`. */
  rule: string;
  /** Id of the finding; `ops/finding_…` of one of swarm `ops`. */
  finding: string;
}

/** What a task was started by. A finding that the task writes carries it on, so that chains of rules are seen. */
export interface Origin {
  /** The oldest first; the last one started this task. Its length is the depth of the task. */
  chain: ChainLink[];
}

/** Longer chains lose their oldest links: no rule lets a chain grow that long. */
const MOST_LINKS = 50;

/** Longest id of a finding in a chain. Ids of the fleet are far shorter; another program may choose any. */
export const MOST_ID = 400;

const linkSchema = z.object({ rule: z.string().min(1).max(200), finding: z.string().min(1).max(MOST_ID) });
const originSchema = z.object({ chain: z.array(linkSchema).min(1) });

/** The stamp of a task that a rule started, in its stored data. Another version or program may have stored anything: it counts as none. */
export const originStampSchema = originSchema.optional().catch(undefined);

/** Reads the origin of a task or finding, which any program may have stored. @returns undefined: it has none */
export function readOrigin(value: unknown): Origin | undefined {
  const origin = originSchema.safeParse(value).data;
  return origin === undefined ? undefined : { chain: origin.chain.slice(-MOST_LINKS) };
}

/** The rules of this swarm in a chain, each once, the one that started the task last. */
export function toOwnRules(origin: Origin | undefined): string[] {
  const names = (origin?.chain ?? []).map(({ rule }) => rule).filter((rule) => !rule.includes('/'));
  return [...new Set(names.toReversed())].toReversed();
}
