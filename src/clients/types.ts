/** What the token of a client allows: `read` changes nothing, `delegate` adds work and waits for it, `operate` does all that a person can. */
export const ROLES = ['read', 'delegate', 'operate'] as const;
export type Role = (typeof ROLES)[number];

/** A program or person that works with the fleet by a token. */
export interface Client {
  name: string;
  role: Role;
  /** All that its work may cost, nano-dollars. Null: it has no budget of its own. */
  budgetNanoUsd: number | null;
  /** UTC instant, ISO 8601. */
  createdAt: string;
  /** UTC instant, ISO 8601, from which its token is refused. Null: never. */
  expiresAt: string | null;
}

/** A client as `fleet token ls` shows it. Money in nano-dollars. */
export interface ClientState extends Client {
  /** Whether its token is refused because its time is over. */
  isExpired: boolean;
  /** The booked cost of its calls. */
  settledNanoUsd: number;
  /** The worst case of its calls under way. */
  reservedNanoUsd: number;
  /** What its calls may have cost that ended before their whole reply was stored. */
  uncertainNanoUsd: number;
  /** UTC instant, ISO 8601, to the minute at most; null: its token was never used. */
  lastUsedAt: string | null;
}

/** A client that is to be added. */
export interface NewClient {
  /** At most 40 letters, digits, dots, underscores and dashes, the first a letter or digit. */
  name: string;
  role: Role;
  /** Above 0. Null: none, which only the role `read` may have. */
  budgetUsd: number | null;
  /** How long its token works: `12h`, `7d`, `4w`. Null: until it is removed. */
  expires: string | null;
}
