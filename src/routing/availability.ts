import type { CatalogEntry } from '../pricing/catalog.ts';
import { UNCERTAIN_PAUSE } from '../ledger/refusals.ts';
import type { Db } from '../redis/db.ts';

/** A key that its provider refuses is tried again after so long; a new key at once. */
const REFUSED_MS = 10 * 60_000;

/** Why a model takes no call now. */
export interface Pause {
  why: string;
  /** Until it may be asked again, ms. */
  ms: number;
  /** The provider refuses the account: only a person ends that. */
  isRefused: boolean;
}

/** What the fleet knows of models that take no call. */
export interface Availability {
  /** One entry a model, in order; null: it may be asked. A pause for money is none: it would hold another model up as well. */
  read(entries: readonly CatalogEntry[]): Promise<(Pause | null)[]>;
  /** Notes that a provider refuses the account: tasks whose route lists other models go there. */
  noteRefused(entry: CatalogEntry): Promise<void>;
}

/** @param limitKeyOf hash of the key that a model is called with; undefined: it needs none. Null: not known here */
export function createAvailability(
  { redis, keys }: Db,
  limitKeyOf: ((model: string) => string | undefined) | null,
): Availability {
  const toMark = (id: string): string => limitKeyOf?.(id) ?? '-';
  return {
    async read(entries) {
      const chain = redis.pipeline();
      for (const { id } of entries) chain.get(keys.cooldown(id)).pttl(keys.cooldown(id)).get(keys.modelRefused(id));
      const replies = ((await chain.exec()) ?? []).map(([error, reply]) => {
        if (error) throw error;
        return reply;
      });
      return entries.map(({ id }, i) => {
        const [cooldown, leftMs, refused] = replies.slice(3 * i, 3 * i + 3) as [string | null, number, string | null];
        // Another key is not refused because an old one was.
        const isRefused = refused !== null && (limitKeyOf === null || refused === toMark(id));
        if (isRefused) return { why: 'its provider refuses the account', ms: REFUSED_MS, isRefused: true };
        if (cooldown === null || cooldown === UNCERTAIN_PAUSE) return null;
        return { why: 'it cools down', ms: Math.max(0, leftMs), isRefused: false };
      });
    },
    async noteRefused({ id }) {
      await redis.set(keys.modelRefused(id), toMark(id), 'PX', REFUSED_MS);
    },
  };
}
