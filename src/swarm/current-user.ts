import { hostname, userInfo } from 'node:os';

/** The user of this process, for halts and job logs: `user@host`. */
export function currentUser(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`; // an account without a name, as in containers
  }
}
