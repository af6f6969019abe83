import type { Redis } from 'ioredis';
import type { Db } from '../../redis/db.ts';
import { countEvent } from '../count-event.ts';

/** A Redis that crashes forgets at most so much of what it had answered (`appendfsync everysec`, and a write that a slow disk delayed). */
const FORGOTTEN_MS = 5_000;
const MOST_RECORDS = 500;
const MOST_BYTES = 8_000_000;
/** Counter of the status. */
const RESTORED = 'findings_stored_again';

interface KeptRecord {
  /** Key of the finding. */
  key: string;
  bytes: number;
  keptAt: number;
  again(): Promise<unknown>;
}

const keepers = new WeakMap<Redis, RecordKeeper>();

/**
 * Stores a finding that ends a job, and stores it again if Redis forgets it.
 * @param finding.key its key; `text`: what it holds; `token`: the lock of its job
 * @param record stores it unless it is there; with an empty token also for a job that has ended
 */
export async function keepRecord<Answer extends string>(
  db: Db,
  finding: { key: string; text: string; token: string },
  record: (token: string) => Promise<Answer>,
): Promise<Answer> {
  const keeper = keepers.get(db.redis) ?? new RecordKeeper(db);
  keepers.set(db.redis, keeper);
  const answer = await record(finding.token);
  if (answer === 'recorded' || answer === 'already') keeper.keep(finding, () => record(''));
  return answer;
}

/**
 * Remembers the findings that this process has stored in the last seconds, and stores those again that Redis has forgotten when the
 * connection comes back. Without it a job could end whose finding is gone: only the command that ends the job is sent again.
 */
class RecordKeeper {
  readonly #db: Db;
  #kept: KeptRecord[] = [];
  #bytes = 0;
  #isWaiting = false; // to drop old ones

  constructor(db: Db) {
    this.#db = db;
    db.redis.on('ready', () => void this.#restore().catch(() => undefined)); // the next break finds what is still kept
  }

  keep({ key, text }: { key: string; text: string }, again: () => Promise<unknown>): void {
    const now = performance.now();
    this.#kept.push({ key, bytes: text.length, keptAt: now, again });
    this.#bytes += text.length;
    this.#drop(now);
    this.#dropLater();
  }

  #dropLater(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(() => void this.#dropOld(), FORGOTTEN_MS).unref();
  }

  #drop(now: number): void {
    while (this.#isTooMuch(now)) this.#bytes -= this.#kept.shift()?.bytes ?? 0;
  }

  /** Of a process that stores nothing more. Its findings are too old once Redis answers: while it is away nothing becomes too old. */
  async #dropOld(): Promise<void> {
    const isAlive = await this.#db.redis.ping().then(
      () => true,
      () => false,
    );
    if (isAlive) this.#drop(performance.now());
    this.#isWaiting = false;
    if (this.#kept.length > 0 && this.#db.redis.status !== 'end') this.#dropLater();
  }

  #isTooMuch(now: number): boolean {
    const [oldest] = this.#kept;
    if (oldest === undefined) return false;
    return now - oldest.keptAt > FORGOTTEN_MS || this.#kept.length > MOST_RECORDS || this.#bytes > MOST_BYTES;
  }

  async #restore(): Promise<void> {
    if (this.#kept.length === 0) return;
    const { redis } = this.#db;
    const kept = [...this.#kept];
    const chain = redis.pipeline();
    for (const { key } of kept) chain.exists(key);
    const replies = (await chain.exec()) ?? [];
    const gone = kept.filter((_, i) => replies[i]?.[1] === 0);
    for (const record of gone) await record.again();
    if (gone.length > 0) await countEvent(this.#db, RESTORED, gone.length);
  }
}
