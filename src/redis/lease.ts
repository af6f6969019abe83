import { randomBytes } from 'node:crypto';
import type { Db } from './db.ts';

/** A process that dies leaves its lease to another one after this long. */
const LEASE_MS = 15_000;
/** How often a holder renews a lease of the default duration. */
export const RENEW_LEASE_EVERY_MS = 5_000;
/** The token of a patient owner begins with it. Processes of other versions read it too. */
const PATIENT = 'patient:';

/**
 * A right that one process of the swarm holds at a time: a string key that holds its owner's token and expires.
 *
 * Contract: when a lease runs out, its old owner may still work while the next one begins. Use it only for work that may
 * be done twice.
 */
export class Lease {
  readonly #db: Db;
  readonly #key: string;
  readonly #ttlMs: number;
  readonly #token: string;
  readonly #isPatient: boolean;
  #wasTaken = false;

  /**
   * @param options.ttlMs without a renewal the lease runs out after it; default 15 s
   * @param options.isPatient whether the owner gives the lease up to one that is not patient; default false
   */
  constructor(db: Db, key: string, { ttlMs = LEASE_MS, isPatient = false } = {}) {
    this.#db = db;
    this.#key = key;
    this.#ttlMs = ttlMs;
    this.#isPatient = isPatient;
    this.#token = `${isPatient ? PATIENT : ''}${randomBytes(8).toString('hex')}`;
  }

  /** Takes the lease if it is free, or renews it. @returns whether this owner holds it now */
  async take(): Promise<boolean> {
    this.#wasTaken = (await this.#takeFree()) || (await this.#takeFrom(await this.#db.redis.get(this.#key)));
    return this.#wasTaken;
  }

  /** Renews the lease unless it ran out or has another owner. @returns whether this owner holds it now */
  async renew(): Promise<boolean> {
    return (await this.isMine()) && this.#extend();
  }

  async isMine(): Promise<boolean> {
    return (await this.#db.redis.get(this.#key)) === this.#token;
  }

  /** Frees the lease if this owner still holds it. */
  async release(): Promise<void> {
    if (!this.#wasTaken) return;
    this.#wasTaken = false;
    await this.#db.scripts['release-lease']({ lease: this.#key }, [this.#token]);
  }

  async #takeFree(): Promise<boolean> {
    return (await this.#db.redis.set(this.#key, this.#token, 'PX', this.#ttlMs, 'NX')) !== null;
  }

  async #extend(): Promise<boolean> {
    return (await this.#db.redis.pexpire(this.#key, this.#ttlMs)) === 1;
  }

  /** Renews a lease of its own, or takes one from a patient owner. @param holder the token that the key holds */
  async #takeFrom(holder: string | null): Promise<boolean> {
    if (holder === this.#token) return this.#extend();
    if (this.#isPatient || holder?.startsWith(PATIENT) !== true) return false;
    await this.#db.redis.set(this.#key, this.#token, 'PX', this.#ttlMs);
    return true;
  }
}

/** A lease that renews itself until it is released. */
export type HeldLease = Pick<Lease, 'isMine' | 'release'>;

/** @returns null where another process holds the lease */
export async function holdLease(db: Db, key: string): Promise<HeldLease | null> {
  const lease = new Lease(db, key);
  if (!(await lease.take())) return null;
  const timer = setInterval(() => {
    lease.renew().catch(() => undefined); // Redis is away: the lease runs out, and `isMine` returns false
  }, RENEW_LEASE_EVERY_MS);
  return {
    isMine: () => lease.isMine(),
    async release() {
      clearInterval(timer);
      await lease.release();
    },
  };
}
