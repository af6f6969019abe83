import type { OpenFleet } from '../../api/open-fleet.ts';
import { toSummary } from '../../findings/stored.ts';
import { isPartial } from '../../findings/marks.ts';
import { findFinding } from '../work/find-finding.ts';
import { toResultText } from '../work/result-text.ts';

/** Entries of a list, and ids that a completion looks at. */
const LISTED = 20;
const COMPLETED = 500;

/** One kind of resource: `fleet://<kind>/<id>`. */
export interface ResourceKind {
  kind: 'finding' | 'context' | 'patch';
  description: string;
  /** @returns null: there is none of this id */
  read(fleet: OpenFleet, id: string): Promise<string | null>;
  /** The newest ids. */
  list(fleet: OpenFleet, most: number): Promise<string[]>;
}

export const resourceKinds: readonly ResourceKind[] = [
  {
    kind: 'finding',
    description: 'what a worker, librarian or mission found',
    async read(fleet, id) {
      const finding = await findFinding(fleet, id);
      const facts = [
        `task: ${finding.task ?? ''}`,
        `summary: ${toSummary(finding)}${isPartial(finding) ? ' (partial)' : ''}`,
        `at ${finding.at}, by ${finding.worker_id ?? 'unknown'}, citations: ${finding.citations.join(' ') || 'none'}`,
        `files changed: ${finding.files_changed.join(' ') || 'none'}`,
      ];
      return `${facts.join('\n')}\n\n${toResultText(finding)}`;
    },
    list: ({ inner: { db } }, most) => db.redis.zrevrange(db.keys.index, 0, most - 1),
  },
  {
    kind: 'context',
    description: 'a memory context, which tasks can ask for',
    read: async (fleet, name) => (await fleet.contexts.get(name))?.text ?? null,
    list: async (fleet, most) => (await fleet.contexts.list()).slice(0, most).map(({ name }) => name),
  },
  {
    kind: 'patch',
    description: 'what an isolated task changed, as a diff; a person applies it with fleet apply',
    async read(fleet, id) {
      const record = await fleet.patches.get(id);
      if (record === null) return null;
      const diff = await fleet.patches.diff(id);
      const text =
        diff === null
          ? '(its text is not kept here; fleet diff shows it on its host)'
          : Buffer.from(diff).toString('utf8');
      return `patch ${record.findingId}: ${record.state}, workspace ${record.workspace}, branch ${record.branch}\n\n${text}`;
    },
    list: async (fleet, most) => (await fleet.patches.list()).slice(-most).map(({ findingId }) => findingId),
  },
];

/** Ids of a list, the newest first. */
export const listIds = (kind: ResourceKind, fleet: OpenFleet): Promise<string[]> => kind.list(fleet, LISTED);

/** Ids that begin as typed. */
export async function completeIds(kind: ResourceKind, fleet: OpenFleet, typed: string): Promise<string[]> {
  return (await kind.list(fleet, COMPLETED)).filter((id) => id.startsWith(typed)).slice(0, LISTED);
}
