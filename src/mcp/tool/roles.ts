import { ROLES, type Role } from '../../clients/types.ts';

/** Whether a role has the rights of another one. */
export function mayAs(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
