import { NotFoundError, UsageError } from '../../errors.ts';
import { readPaper, type PaperRecord } from './record.ts';
import type { Db } from '../../redis/db.ts';
import type { PaperDecision, PaperStop } from './types.ts';

/** What a choice comes to. */
export interface StoredDecision {
  /** The step that goes on; null where the paper stood at none. */
  step: string | null;
  /** For the person: what happens once the mission runs again. */
  said: string;
}

/** Whether this mission writes a paper, and has begun it. */
export async function isPaper({ redis, keys }: Db, id: string): Promise<boolean> {
  return (await redis.exists(keys.paper(id))) === 1;
}

/**
 * Stores what a person chose for a paper that stands. It neither releases the mission nor lifts a halt: whoever calls
 * does both afterwards, in this order, so that a crash in between leaves a choice that the next start of the mission follows.
 * - `retry`: the step that failed is tried once more, paid anew; after a shard failed all shards are tested again first
 * - `skip-gemini`: what is left is written from findings read by id, and the paper's header says so
 * - `accept-shards`: goes on without the shards that failed the test, where at least 80 % work
 * - `park`: the paper keeps its place; a later `retry` or `skip-gemini` goes on from there
 * @throws NotFoundError where there is no such paper, UsageError where the choice does not fit what it stands for
 */
export async function storePaperDecision(db: Db, id: string, choice: PaperDecision): Promise<StoredDecision> {
  const paper = await readPaper(db, id);
  if (paper === null) throw new NotFoundError(`paper ${id}: no such paper, or it has not begun`);
  if (paper.text !== null && choice !== 'retry' && choice !== 'park') {
    throw new UsageError(`paper ${id}: it is written; fleet paper --resume ${id} --out FILE writes the file`);
  }
  const { stop } = paper;
  const step = stop?.step ?? null;
  switch (choice) {
    case 'park':
      return {
        step,
        said: `paper ${id} is set aside with ${describeDrafts(paper)}; fleet resume ${id} --retry goes on`,
      };
    case 'retry':
      await goOn(db, id, stop, { testAnew: stop?.reason === 'shard' || stop?.reason === 'shards' });
      return { step, said: step === null ? `paper ${id} goes on` : `paper ${id} tries step ${step} again` };
    case 'skip-gemini':
      await goOn(db, id, stop, { field: 'without_gemini' });
      return { step, said: `paper ${id} is finished from findings read by id; its header says so` };
    case 'accept-shards':
      assertAcceptable(id, stop);
      await goOn(db, id, null, { field: 'accept_shards' });
      return { step, said: `paper ${id} goes on without the shards that failed` };
  }
}

/**
 * Takes the stop away in the same step that says why.
 * @param again the stop whose step is tried anew; null: its result stands
 * @param how.testAnew all shards are asked once more before anything else
 */
async function goOn(
  { redis, keys }: Db,
  id: string,
  again: PaperStop | null,
  { field, testAnew = false }: { field?: 'without_gemini' | 'accept_shards'; testAnew?: boolean },
): Promise<void> {
  const key = keys.paper(id);
  const chain = redis.multi().hdel(key, 'stop');
  if (field !== undefined) chain.hset(key, field, '1');
  // Part of the names of the step's query and calls, which must not be those that failed.
  if (again !== null) chain.hincrby(key, `tries:${again.step}`, 1);
  if (testAnew) {
    chain.hdel(key, 'shards');
    if (again?.step !== 'shards') chain.hincrby(key, 'tries:shards', 1);
  }
  await chain.exec();
}

function assertAcceptable(id: string, stop: PaperStop | null): void {
  if (stop?.reason !== 'shards') {
    throw new UsageError(
      `paper ${id}: --accept-shards is for a paper that stands at its shard test, this one ${stop === null ? 'does not stand' : `stands at ${stop.step} (${stop.reason})`}`,
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
