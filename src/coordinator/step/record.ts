import type { Db } from '../../redis/db.ts';
import { readMission, writeMission, type MissionPatch } from '../mission/record.ts';
import type { MissionRecord } from '../mission/types.ts';

/** The stored record of the mission of one run. */
export class MissionRecordStore {
  readonly #db: Db;
  readonly #id: string;
  readonly #now: () => Date;

  constructor({ db, id, now }: { db: Db; id: string; now: () => Date }) {
    this.#db = db;
    this.#id = id;
    this.#now = now;
  }

  async read(): Promise<MissionRecord> {
    const record = await readMission(this.#db, this.#id);
    if (record === null) throw new Error(`mission ${this.#id}: its record is gone`);
    return record;
  }

  /** Stores some fields and the instant of the change. */
  async patch(patch: MissionPatch): Promise<void> {
    await writeMission(this.#db, this.#id, patch, this.#now());
  }
}
