import { hostname, userInfo } from 'node:os';

/** Who typed the command, for halts and job logs: `user@host`. */
export function thisPerson(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`; // an account without a name, as containers have
  }
}
