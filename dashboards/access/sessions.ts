import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

const LIFETIME_MS = 12 * 60 * 60_000;

export interface Sessions {
  /** Whether both are right. It always takes the same time. */
  accepts(user: string, password: string): boolean;
  /** Returns a cookie value. It is valid for twelve hours, also after a restart, until the password changes. */
  issue(): string;
  isValid(value: string | undefined): boolean;
  lifetimeMs: number;
}

/** Creates signed sessions; the server stores none. scrypt derives the signing key from the password, so that guessing is slow. */
export function createSessions(login: { user: string; password: string }, now: () => number = Date.now): Sessions {
  const key = scryptSync(login.password, `haiku-fleet dashboard ${login.user}`, 32);
  const blind = randomBytes(32);
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  const digest = (text: string): Buffer => createHmac('sha256', blind).update(text).digest();
  return {
    lifetimeMs: LIFETIME_MS,
    accepts(user, password) {
      // Always compares both, as digests of equal length.
      const userFits = timingSafeEqual(digest(user), digest(login.user));
      const passwordFits = timingSafeEqual(digest(password), digest(login.password));
      return userFits && passwordFits;
    },
    issue() {
      const body = `${now() + LIFETIME_MS}.${randomBytes(12).toString('base64url')}`;
      return `${body}.${sign(body)}`;
    },
    isValid(value) {
      const [expires = '', nonce = '', signature = ''] = value?.split('.') ?? [];
      const fits = timingSafeEqual(digest(signature), digest(sign(`${expires}.${nonce}`)));
      return fits && Number(expires) > now();
    },
  };
}
