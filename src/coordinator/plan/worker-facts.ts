import { REPLY_TOKENS } from '../../routing/reply-room.ts';
import { DEFAULT_MAX_TURNS } from '../../haiku/loop/task-loop.ts';
import type { Db } from '../../redis/db.ts';
import { readWorkers } from '../../swarm/heartbeat.ts';

/** What a planner must know of the workers that will do its tasks. */
export interface WorkerFacts {
  /** Programs that every live worker of the workspace may run; null: unknown, because none is up. */
  programs: string[] | null;
  /** Model calls of one task. */
  turns: number;
  /** UTF-16 code units that a worker can write in one reply, about. */
  replyCharacters: number;
}

/** Share of a reply that is left for its text once the model has thought. */
const TEXT_SHARE = 0.75;
const CHARACTERS_A_TOKEN = 2.5;

/** @param workspace of the tasks; null: none */
export async function readWorkerFacts(db: Db, workspace: string | null): Promise<WorkerFacts> {
  const workers = (await readWorkers(db)).filter(
    ({ workspaces }) => workspace === null || workspaces.includes(workspace),
  );
  return {
    programs: toCommon(workers.map(({ programs }) => programs)),
    turns: DEFAULT_MAX_TURNS,
    replyCharacters: REPLY_TOKENS * TEXT_SHARE * CHARACTERS_A_TOKEN,
  };
}

/** The names that are in all lists, sorted. Null: there is no list, or a worker of an older version told none. */
function toCommon(lists: readonly (readonly string[] | null)[]): string[] | null {
  const [first = null] = lists;
  if (first === null || lists.includes(null)) return null;
  return first.filter((name) => lists.every((list) => list?.includes(name) === true)).toSorted();
}
