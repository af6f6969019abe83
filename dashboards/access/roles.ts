import type { NextFunction, RequestHandler, Response } from 'express';
import { refuse } from './request-checks.ts';
import { createSessions, type Session, type Sessions } from './sessions.ts';

/** What a login may do: `operate` everything, `read` only look. */
export type Role = 'operate' | 'read';

/** The sessions of one role. */
export interface RoleLogin {
  role: Role;
  sessions: Sessions;
}

export type RoleSession = Session & { role: Role };

/** Of one user. `readPassword`: that of those who may only read; undefined: there are none. */
export interface Credentials {
  user: string;
  password: string;
  readPassword?: string | undefined;
}

/** Each role signs its sessions with a key of its own, so that a cookie tells the role. */
export function toLogins({ user, password, readPassword }: Credentials): RoleLogin[] {
  const operate: RoleLogin = { role: 'operate', sessions: createSessions({ user, password }) };
  if (readPassword === undefined) return [operate];
  return [operate, { role: 'read', sessions: createSessions({ user, password: readPassword }) }];
}

/** The session of a cookie's value; null: it is not valid. */
export function readSession(logins: readonly RoleLogin[], value: string | undefined): RoleSession | null {
  for (const { role, sessions } of logins) {
    const session = sessions.read(value);
    if (session !== null) return { ...session, role };
  }
  return null;
}

/** Answers the request with this role. */
export function admit(response: Response, next: NextFunction, role: Role): void {
  response.locals['role'] = role;
  next();
}

/** The role of an answered request. Without a login everybody operates. */
export function roleOf(response: Response): Role {
  return response.locals['role'] === 'read' ? 'read' : 'operate';
}

/** Refuses every change to those who may only read: a question to the archive, too, because it costs. */
export const refuseReaders: RequestHandler = (request, response, next) => {
  if (roleOf(response) === 'operate' || ['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return next();
  refuse(
    response,
    403,
    'role',
    'this login may only read; log out, and in again with the password that may change things',
  );
};
