import type { Queue } from 'bullmq';
import { MOST_PEERS, toAssistId, type AssistStamp } from '../../../queues/assist.ts';
import type { Db } from '../../redis/db.ts';
import { wakeHelped } from '../wake/helped.ts';
import { dropAssists } from './drop-assists.ts';
import { listAssistIds } from './question.ts';

/**
 * Records how an assist task ended, and wakes its asker with the first answer that helps, or the last of all. It comes after the
 * finding, and before the job's end: a process that dies in between leaves a job that runs again and comes here again.
 * @param findingId null: it leaves no finding
 */
export async function endAssist(
  { db, queue }: { db: Db; queue: Queue },
  { asker, call, n }: AssistStamp,
  { helps, findingId }: { helps: boolean; findingId: string | null },
): Promise<void> {
  const { keys, scripts } = db;
  const state = await scripts['note-peer']({ turns: keys.turns(asker), helped: keys.helped }, [
    call,
    n,
    helps ? '1' : '0',
    findingId ?? '',
    asker,
  ]);
  if (state === 'open') return;
  // Before the asker: with one slot, the others would take it first.
  const own = toAssistId({ asker, call, n });
  await dropAssists(
    db,
    queue,
    listAssistIds(asker, call, MOST_PEERS).filter((id) => id !== own),
  );
  if (state === 'ready') await wakeHelped({ db, queue }, asker);
}
