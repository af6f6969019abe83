import { randomUUID } from 'node:crypto';
import { claim } from '../redis/claim.ts';
import type { Db } from '../redis/db.ts';
import { startOf } from '../text/start-of.ts';
import { toWellFormed } from '../text/well-formed.ts';

/** Most UTF-16 code units of a text: the stream holds thousands of entries. */
const LONGEST_TEXT = 300;
/** How long it is known that an event was noted which several processes notice. */
const REMEMBER_SECONDS = 30 * 24 * 3600;

/**
 * What may happen in a swarm, in the words of `fleet monitor`. Findings, and what becomes of them, have a stream of their own
 * (`keys.events`). An older process may read a word that it does not know: it shows it as it is.
 */
export const ACTIVITIES = [
  'begun', // a job has begun its first paid call; in `keys.begun`
  'failed', // a job
  'cancelled', // a job or the jobs of a batch, by a person
  'parked', // a job or a mission, until a person or a budget releases it
  'released', // what was parked
  'halt',
  'resume',
  'joined', // a process
  'left', // a process
  'batch-ended',
  'mission-planned',
  'mission-asks',
  'answered', // a question to the archive
  'shard-out',
  'fired', // a rule; in `keys.begun`, as `chain-parked` is
  'rule-paused',
  'chain-parked', // of tasks that rules started
  'assist-asked',
  'assist-answered',
  'bridge-taken', // a task of an old program
  'bridge-elsewhere', // one that an old worker has done
] as const;
type ActivityKind = (typeof ACTIVITIES)[number];

interface Activity {
  what: ActivityKind;
  /** Of the job, finding, mission, batch, process or rule. */
  id?: string | undefined;
  /** For people, in one line. What is over 300 UTF-16 code units is cut. */
  text?: string | undefined;
  batch?: string | null | undefined;
  mission?: string | null | undefined;
  /** Id of the worker that did it, or of the user. */
  worker?: string | null | undefined;
}

/**
 * Notes what has happened, for `fleet monitor`. Call it after the state is stored. It never throws: a note that a kill or a full
 * Redis prevents changes nothing. A script that stores the state notes it itself, with `lib/activity.lua`, at no further round trip.
 */
export async function noteActivity({ keys, scripts }: Db, activity: Activity): Promise<void> {
  const call = randomUUID();
  const { what, id, text, batch, mission, worker } = activity;
  const stream = what === 'begun' ? keys.begun : keys.activity;
  await scripts['note-activity']({ activity: stream, once: keys.once(call) }, [
    call,
    what,
    id ?? '',
    toActivityText(text ?? ''),
    batch ?? '',
    mission ?? '',
    worker ?? '',
  ]).catch(() => undefined);
}

/** As `noteActivity`, of an event that several processes notice. @param mark names the event: the same in every process */
export async function noteActivityOnce(db: Db, mark: string, activity: Activity): Promise<void> {
  const isFirst = await claim(db, db.keys.noticed(`activity:${mark}`), randomUUID(), REMEMBER_SECONDS).catch(
    () => false,
  );
  if (isFirst) await noteActivity(db, activity);
}

/** A text as the stream holds it. */
export function toActivityText(text: string): string {
  return startOf(toWellFormed(text), LONGEST_TEXT);
}
