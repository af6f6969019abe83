import { NotFoundError, UsageError } from '../../errors.ts';
import { readPaper, type PaperRecord } from './record.ts';
import type { Db } from '../../redis/db.ts';
import type { PaperDecision, PaperStop } from './types.ts';

/** A decision that was stored. */
export interface StoredDecision {
  /** The step that runs next; null: the paper was not blocked. */
  step: string | null;
  /** Text for the person: what happens when the mission runs again. */
  said: string;
}

/** Whether this mission writes a paper and has begun it. */
export async function isPaper({ redis, keys }: Db, id: string): Promise<boolean> {
  return (await redis.exists(keys.paper(id))) === 1;
}

/**
 * Stores what a person decided about a blocked paper. It neither releases the mission nor lifts a halt: the caller does
 * both afterwards, so that after a crash in between the mission's next run still follows the decision.
 * - `retry`: the step that failed runs again and is paid again; if a shard failed, all shards are tested again first
 * - `skip-gemini`: the rest is written from findings read by id, and the paper's header states it
 * - `accept-shards`: the paper continues without the shards that failed the test, if at least 80 % work
 * - `park`: nothing changes; a later `retry` or `skip-gemini` continues from here
 * @throws NotFoundError if there is no such paper, UsageError if the decision does not fit the stop
 */
export async function storePaperDecision(db: Db, id: string, decision: PaperDecision): Promise<StoredDecision> {
  const paper = await readPaper(db, id);
  if (paper === null) throw new NotFoundError(`paper ${id}: no such paper, or it has not begun`);
  if (paper.text !== null && decision !== 'retry' && decision !== 'park') {
    throw new UsageError(`paper ${id}: it is written; fleet paper --resume ${id} --out FILE writes the file`);
  }
  const { stop } = paper;
  const step = stop?.step ?? null;
  switch (decision) {
    case 'park':
      return {
        step,
        said: `paper ${id} is set aside with ${describeDrafts(paper)}; fleet resume ${id} --retry goes on`,
      };
    case 'retry':
      await removeStop(db, id, paper, { again: stop, testAnew: stop?.reason === 'shard' || stop?.reason === 'shards' });
      return { step, said: step === null ? `paper ${id} goes on` : `paper ${id} tries step ${step} again` };
    case 'skip-gemini':
      await removeStop(db, id, paper, { again: stop, field: 'without_gemini' });
      return { step, said: `paper ${id} is finished from findings read by id; its header says so` };
    case 'accept-shards':
      assertAcceptable(id, stop);
      await removeStop(db, id, paper, { again: null, field: 'accept_shards' });
      return { step, said: `paper ${id} goes on without the shards that failed` };
  }
}

/**
 * Removes the stop and stores the decision, in one step.
 * @param how.again the stop whose step runs again; null: the step's result is kept
 * @param how.testAnew all shards are tested again before anything else
 */
async function removeStop(
  { redis, keys }: Db,
  id: string,
  { tries }: PaperRecord,
  how: { again: PaperStop | null; field?: 'without_gemini' | 'accept_shards'; testAnew?: boolean },
): Promise<void> {
  const { again, field, testAnew = false } = how;
  const key = keys.paper(id);
  const chain = redis.multi().hdel(key, 'stop');
  if (field !== undefined) chain.hset(key, field, '1');
  // The number is part of the names of the step's query and calls: under the old names they are answered from the store.
  // It is set, not increased: the client sends it twice if its connection breaks.
  const tryAgain = (step: string): unknown => chain.hset(key, `tries:${step}`, (tries[step] ?? 0) + 1);
  if (again !== null) tryAgain(again.step);
  if (testAnew) {
    chain.hdel(key, 'shards');
    if (again?.step !== 'shards') tryAgain('shards');
  }
  await chain.exec();
}

function assertAcceptable(id: string, stop: PaperStop | null): void {
  if (stop?.reason !== 'shards') {
    throw new UsageError(
      `paper ${id}: --accept-shards is for a paper that is blocked at its shard test, this one ${stop === null ? 'is not blocked' : `is blocked at ${stop.step} (${stop.reason})`}`,
    );
  }
  if (stop.belowShare === true) {
    throw new UsageError(
      `paper ${id}: fewer than 80 % of the shards work, which is refused: ${stop.detail}. Mend them and fleet resume ${id} --retry, or fleet resume ${id} --skip-gemini`,
    );
  }
}

function describeDrafts({ drafts, outline }: PaperRecord): string {
  const written = drafts.filter((draft) => draft !== null).length;
  return outline === null ? 'no draft yet' : `${written} of ${outline.sections.length} drafts`;
}
