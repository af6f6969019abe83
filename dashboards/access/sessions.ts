import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

const LIFETIME_MS = 12 * 60 * 60_000;

export interface Sessions {
  /** Whether both are right; takes the same time whatever is wrong. */
  accepts(user: string, password: string): boolean;
  /** A value for a cookie, good for twelve hours, also after a restart, until the password changes. */
  issue(): string;
  isValid(value: string | undefined): boolean;
  lifetimeMs: number;
}

/** Signed sessions: nothing is kept on the server. The signing key comes from the password, made costly to guess. */
export function createSessions(login: { user: string; password: string }, now: () => number = Date.now): Sessions {
  const key = scryptSync(login.password, `haiku-fleet dashboard ${login.user}`, 32);
  const blind = randomBytes(32);
  const sign = (text: string): string => createHmac('sha256', key).update(text).digest('base64url');
  const digest = (text: string): Buffer => createHmac('sha256', blind).update(text).digest();
  return {
    lifetimeMs: LIFETIME_MS,
    accepts(user, password) {
      // Both are compared in any case, as digests of one length.
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
