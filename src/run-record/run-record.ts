import { randomUUID } from 'node:crypto';
import { createRedactor } from '../config/redact.ts';
import type { Db } from '../redis/db.ts';
import { toOneLine } from '../text/one-line.ts';
import { packEntry } from './entry-format.ts';
import type { PackedNotes, RunNote } from './types.ts';

/** Most entries that wait for a script, and most that Redis keeps of a job (`lib/record.lua`). */
export const MOST_ENTRIES = 500;
/** Longest text of an entry, UTF-16 code units. */
const LONGEST_TEXT = 200;
/** A text is cut to this length before secrets are removed from it: a secret that ends within `LONGEST_TEXT` is whole. */
const READ_TEXT = 2_000;

/** Keys that the configuration does not hold, by their shape. People read a record, no program does: a harmless text may go with them. */
const redactShapes = createRedactor([]);

/** What a record needs of the database before it is written. */
interface RecordDb {
  clock: Pick<Db['clock'], 'now'>;
  redact: Db['redact'];
}

/**
 * What one run of a job notes for people. Nothing is sent for it: the next script that the run sends anyhow writes it, in the same step.
 *
 * Delivery contract: a process that dies loses what it has not written yet, at most what happened since its last script. A script that is
 * sent twice writes its entries once.
 */
export class RunRecord {
  readonly #db: RecordDb;
  readonly #keep: string;
  #entries: string[] = [];
  #replayed = 0;
  #isUrgent = false;

  /** @param keepSeconds how long the record is kept after its last entry */
  constructor(db: RecordDb, keepSeconds: number) {
    this.#db = db;
    this.#keep = String(keepSeconds);
  }

  /** Notes what happened now. Texts are cut, and lose their secrets. */
  note(note: RunNote): void {
    if (this.#entries.length >= MOST_ENTRIES) this.#entries.shift();
    if (note.kind !== 'taken') this.#isUrgent = true;
    this.#entries.push(packEntry(this.#db.clock.now(), note, this));
  }

  /** Notes that the run continues from stored replies. A handover reads the same ones again, and tells nothing new. */
  noteReplayed(turns: number): void {
    if (turns <= this.#replayed) return;
    this.#replayed = turns;
    this.note({ kind: 'replayed', turns });
  }

  /**
   * Whether something is not written yet that only the record tells: it goes before a call, which may take minutes. Who has a job, and
   * what is held for its call, is stored elsewhere meanwhile.
   */
  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  /** Whether something is not written yet. */
  get isPending(): boolean {
    return this.#entries.length > 0;
  }

  /** Takes what is to be written, for a script that is about to be sent. */
  take(): PackedNotes {
    if (this.#entries.length === 0) return [];
    const taken = [this.#keep, ...this.#entries];
    this.#entries = [];
    this.#isUrgent = false;
    return taken;
  }

  /** The script has answered that it wrote nothing: the next one does. */
  giveBack(taken: PackedNotes): void {
    if (taken.length < 2) return;
    this.#entries = [...taken.slice(1), ...this.#entries];
    this.#isUrgent = true;
  }

  /** Writes what no other script of the run will write. One round trip, none where nothing is pending. */
  async flush({ keys, scripts }: Db, queue: string, jobId: string): Promise<void> {
    if (!this.isPending) return;
    const named = { job: keys.queueKey(queue, jobId), run: keys.run(jobId) };
    await scripts['note-run'](named, [JSON.stringify({ call: randomUUID(), record: this.take() })]);
  }

  /** A text as an entry holds it: on one line, without secrets, cut to `most` UTF-16 code units. */
  toText(text: string, most: number): string {
    return toOneLine(redactShapes(this.#db.redact(text.slice(0, READ_TEXT))), most);
  }

  /** A text of others, of any length. */
  clean(text: string): string {
    return this.toText(text, LONGEST_TEXT);
  }
}

/** Creates the record of one run; undefined: nothing is recorded. */
export type CreateRecord = () => RunRecord | undefined;

/** Creates the records of this process' runs. @param days `FLEET_RUN_DAYS`; 0: nothing is recorded */
export function createRunRecords(db: RecordDb, days: number): CreateRecord {
  const keepSeconds = Math.round(days * 86_400);
  return () => (keepSeconds === 0 ? undefined : new RunRecord(db, keepSeconds));
}
