import type { Db } from '../../redis/db.ts';
import { countOf } from '../../text/plural.ts';
import type { MissionRecord } from '../mission/types.ts';

/** Ids that a note names. */
const NAMED = 5;

/** How the archive has changed since a plan was made: one sentence each. The plan knows nothing of it. */
export async function describeArchiveMoved(
  { redis, keys }: Db,
  { recall, plannedAt, endedAt }: Pick<MissionRecord, 'recall' | 'plannedAt' | 'endedAt'>,
): Promise<string[]> {
  const since = plannedAt ?? endedAt; // a version before stored only when the dry run ended
  const sources = recall !== null && 'answer' in recall ? recall.citations : [];
  const [added, marks] = await Promise.all([
    since === null ? 0 : redis.zcount(keys.index, `(${Date.parse(since)}`, '+inf'),
    sources.length === 0 ? [] : redis.hmget(keys.retracted, ...sources),
  ]);
  const gone = sources.filter((_, i) => (marks[i] ?? null) !== null);
  return [
    ...(added === 0
      ? []
      : [
          `The archive has moved on: ${countOf(added, 'finding')} came since the plan was made, which does not know them.`,
        ]),
    ...(gone.length === 0
      ? []
      : [
          `The plan rests on ${countOf(gone.length, 'finding')} that ${gone.length === 1 ? 'was' : 'were'} retracted since: ${gone.slice(0, NAMED).join(', ')}${gone.length > NAMED ? ' …' : ''}.`,
        ]),
  ];
}
