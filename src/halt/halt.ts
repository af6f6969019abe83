import type { Queue } from 'bullmq';
import { z } from 'zod';
import { missionsQueue } from '../../queues/missions.ts';
import { idSchema } from '../../queues/ids.ts';
import { UsageError } from '../errors.ts';
import type { Notifier } from '../swarm/notify.ts';
import type { Halt } from './types.ts';
import type { Db } from '../redis/db.ts';
import { readPublicText } from '../redis/public-text.ts';
import { claim } from '../redis/claim.ts';
import { noteChange } from '../audit/note-change.ts';
import { withAudit } from '../audit/with-audit.ts';
import { noteActivity } from '../swarm/activity.ts';
import { countEvent } from '../swarm/count-event.ts';

/** The stored fields of `Halt`. */
const haltSchema = z.object({
  reason: z.string(),
  step: z.string(),
  at: z.string(),
  by: z.string(),
  detail: z.string(),
  mission: idSchema.optional().catch(undefined), // a person copies commands that contain it
});

/** Halts the fleet and lifts a halt. */
export interface HaltSwitch {
  /** @returns the halt in force, or null */
  read(): Promise<Halt | null>;
  /** Halts the fleet. A halt that is in force already is not changed. @returns whether this call halted */
  halt(halt: Omit<Halt, 'at'>): Promise<boolean>;
  /** Pauses the queues that are not paused during a halt: Bull Board's own Resume does not lift a halt. */
  enforce(): Promise<void>;
  /**
   * Lifts the halt, and resumes only the queues that it paused.
   * @param by the person who lifts it, for the notice
   * @throws UsageError when the fleet is not halted
   */
  resume(by?: string): Promise<Halt>;
}

/** Reads the halt in force; null: the fleet is not halted. */
export async function readHalt({ redis, keys }: Db): Promise<Halt | null> {
  const [type, text] = await Promise.all([redis.type(keys.haltReason), readPublicText(redis, keys.haltReason)]);
  if (text !== null) return parseHalt(text);
  if (type === 'none' || type === 'string') return null; // a text that was lifted, or stored, between the two answers
  return toForeignHalt(type, type === 'hash' ? await redis.hgetall(keys.haltReason).catch(() => ({})) : {});
}

/** Another program stored a halt as the fleet does not: it halts all the same, and a resume removes it. */
function toForeignHalt(type: string, fields: Record<string, string>): Halt {
  const { detail, ...stated } = parseHalt(JSON.stringify(fields));
  const foreign = `another program stored a ${type} in halt:reason, expected text`;
  return { ...stated, detail: detail === '' ? foreign : `${detail} (${foreign})` };
}

export function createHaltSwitch(db: Db, queues: Queue[], options: { notifier?: Notifier } = {}): HaltSwitch {
  const { redis, keys, clock } = db;

  async function enforce(): Promise<void> {
    for (const queue of queues) {
      if (await queue.isPaused()) continue;
      // Stored first: if the process dies in between, resuming finds one queue too many, which does no harm.
      await redis.hset(keys.halted, queue.name, 1);
      await queue.pause();
    }
    // A job may call this for a halt that was lifted meanwhile: without this the queues would remain paused.
    if ((await readHalt(db)) === null) await resumePaused();
  }

  /** Resumes what a halt paused, and nothing a person paused. */
  async function resumePaused(): Promise<void> {
    const paused = await redis.hkeys(keys.halted);
    for (const queue of queues) {
      if (!paused.includes(queue.name)) continue;
      await queue.resume();
      await redis.hdel(keys.halted, queue.name);
    }
  }

  /** Logs to the mission's job, where a person looks first. A mission whose job was removed has no log. */
  async function logForMission(mission: string | undefined, line: string): Promise<void> {
    const missions = queues.find((queue) => queue.name === missionsQueue.name);
    if (mission === undefined || missions === undefined) return;
    const job = await missions.getJob(mission);
    await job?.log(`${clock.date().toISOString()} ${line}`);
  }

  /** @param halt null: none is in force, and only its traces go */
  async function lift(halt: Halt | null): Promise<void> {
    const remove = (): Promise<number> => redis.del(keys.recentFailures, keys.haltReason); // only new failures can halt the fleet again
    if (halt === null) return void (await remove());
    await withAudit(db, { what: 'resume' }, async (note) => {
      await remove();
      await note({ what: 'resume', before: { halt: describeHalt(halt), since: halt.at }, after: { halt: null } });
    });
  }

  return {
    read: () => readHalt(db),
    enforce,
    async halt(halt) {
      const stated: Halt = { ...halt, at: clock.date().toISOString() };
      // Stored before all else, also before its entry in the audit: from here on the ledger allows no call.
      if (!(await claim(db, keys.haltReason, JSON.stringify(stated)))) return false;
      if (stated.reason === 'person') {
        await noteChange(db, { what: 'halt', before: { halt: null }, after: { halt: describeHalt(stated) } });
      }
      await countEvent(db, 'halts');
      await enforce();
      await redis.publish(keys.control, JSON.stringify({ type: 'halt', ...stated }));
      options.notifier?.notify(`halt:${stated.at}`, { event: 'halt', ...stated });
      await noteActivity(db, {
        what: 'halt',
        id: stated.reason,
        text: stated.detail,
        mission: stated.mission ?? null,
        worker: stated.by,
      });
      await logForMission(stated.mission, `halted the fleet: ${stated.reason}. ${stated.detail} (${stated.by})`);
      return true;
    },
    async resume(by = '') {
      const halt = await readHalt(db);
      const paused = await redis.hkeys(keys.halted);
      if (halt === null && paused.length === 0)
        throw new UsageError(
          'nothing is halted (a queue that a person paused is resumed in Bull Board); `fleet status` shows what the fleet does',
        );
      await lift(halt);
      await resumePaused();
      await redis.publish(keys.control, JSON.stringify({ type: 'resume' }));
      await noteActivity(db, { what: 'resume', id: halt?.reason ?? '', text: 'the halt is lifted', worker: by });
      if (halt === null) return INTERRUPTED_RESUME;
      options.notifier?.notify(`resume:${halt.at}`, { event: 'resume', reason: halt.reason, since: halt.at, by });
      await logForMission(halt.mission, `the halt is lifted${by === '' ? '' : ` by ${by}`}`);
      return halt;
    },
  };
}

/** Returned where an earlier resume was killed after it had removed the halt. */
const INTERRUPTED_RESUME: Halt = {
  reason: 'unknown',
  step: '',
  at: '',
  by: '',
  detail: 'a resume that was cut short is finished now',
};

/** The halt in a few words: `person: prices look wrong`. */
export function describeHalt({ reason, detail }: Halt): string {
  return detail === '' ? reason : `${reason}: ${detail}`;
}

/** Parses a stored halt. Other programs may write the key, too: any value halts, and its text is the detail. */
export function parseHalt(text: string): Halt {
  try {
    const fields: unknown = JSON.parse(text, (_, value: unknown) => value ?? undefined); // another program's nulls are missing fields
    const { mission, ...parsed } = haltSchema.partial().parse(fields);
    const stated: Halt = { reason: 'unknown', step: '', at: '', by: '', detail: '', ...parsed };
    return mission === undefined ? stated : { ...stated, mission };
  } catch {
    return { reason: 'unknown', step: '', at: '', by: '', detail: text };
  }
}
