import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

const LIFETIME_MS = 12 * 60 * 60_000;

/** What a valid cookie says. */
export interface Session {
  /** Unique; a session that was logged out is known by it. */
  id: string;
  /** ms since 1970 */
  expiresAt: number;
}

export interface Sessions {
  /** Whether both are right. It always takes the same time. */
  accepts(user: string, password: string): boolean;
  /** Returns a cookie value. It is valid for twelve hours, also after a restart, until the password changes. */
  issue(): string;
  /** Null: the value is not valid. */
  read(value: string | undefined): Session | null;
  lifetimeMs: number;
  /** Returns a cookie value that marks a browser from which a person has logged in. It is no login. */
  issueKnown(): string;
  /** A name of that browser; null: it is not known. */
  readKnown(value: string | undefined): string | null;
}

/** Creates signed sessions. scrypt derives the signing key from the password, so that guessing is slow. */
export function createSessions(login: { user: string; password: string }, now: () => number = Date.now): Sessions {
  const key = scryptSync(login.password, `haiku-fleet dashboard ${login.user}`, 32);
  const blind = randomBytes(32);
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  const digest = (text: string): Buffer => createHmac('sha256', blind).update(text).digest();
  const isSigned = (text: string, signature: string): boolean => timingSafeEqual(digest(signature), digest(sign(text)));
  return {
    lifetimeMs: LIFETIME_MS,
    accepts(user, password) {
      // Always compares both, as digests of equal length.
      const userFits = timingSafeEqual(digest(user), digest(login.user));
      const passwordFits = timingSafeEqual(digest(password), digest(login.password));
      return userFits && passwordFits;
    },
    issue() {
      const body = `${now() + LIFETIME_MS}.${newId()}`;
      return `${body}.${sign(body)}`;
    },
    read(value) {
      const [expires = '', id = '', signature = ''] = value?.split('.') ?? [];
      const expiresAt = Number(expires);
      return isSigned(`${expires}.${id}`, signature) && expiresAt > now() ? { id, expiresAt } : null;
    },
    issueKnown() {
      const id = newId();
      return `${id}.${sign(`known.${id}`)}`;
    },
    readKnown(value) {
      const [id = '', signature = ''] = value?.split('.') ?? [];
      return isSigned(`known.${id}`, signature) ? id : null;
    },
  };
}

function newId(): string {
  return randomBytes(12).toString('base64url');
}
