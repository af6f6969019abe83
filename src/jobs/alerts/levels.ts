import type { Db } from '../../redis/db.ts';
import { hasFields, parseRecord } from '../../redis/stored-record.ts';
import type { Notifier } from '../../swarm/notify.ts';
import type { Notice } from '../../swarm/notices/notice.ts';

/** What is known of one condition, as `keys.alerts` holds it. */
interface Level {
  /** What it is of, such as a day and its limit: for another one it begins at 0. */
  of: string;
  /** 0: there is nothing to tell. */
  level: number;
  /** How often it has risen: part of the notice's mark. */
  rises: number;
}

/** A condition at one look. */
export interface Condition extends Pick<Level, 'of' | 'level'> {
  /** Of the condition, such as `budget`; a field of `keys.alerts`. */
  name: string;
  /** What is told when it rises. */
  notice: Notice;
}

/**
 * Tells of each condition that has risen since the last look of any process, and stores how high each is. The notice is sent before
 * the level is stored: a process that dies in between leaves the rise to the next look, whose notice has the same mark.
 * @param stored what `keys.alerts` holds
 */
export async function tellRises(
  { db, notifier }: { db: Db; notifier: Notifier },
  stored: Record<string, string>,
  conditions: readonly Condition[],
): Promise<void> {
  const { redis, keys } = db;
  for (const { name, of, level, notice } of conditions) {
    const before = parseLevel(stored[name]);
    const known = before.of === of ? before.level : 0;
    const rises = level > known ? before.rises + 1 : before.rises;
    if (level > known) notifier.notify(`alert:${name}:${of}:${level}:${rises}`, notice);
    const now: Level = { of, level, rises };
    if (level > known) await notifier.flush();
    if (level !== before.level || of !== before.of) await redis.hset(keys.alerts, name, JSON.stringify(now));
  }
}

function parseLevel(text: string | undefined): Level {
  const value: unknown = parseRecord(text ?? '');
  if (hasFields(value, { of: 'string', level: 'number', rises: 'number' })) return value as unknown as Level;
  return { of: '', level: 0, rises: 0 };
}
