import { z } from 'zod';
import { shown } from './fields.ts';

export interface GitAuthor {
  name: string;
  email: string;
}

/** Address of an author that is only a name. Domains in `.invalid` belong to nobody. */
const ADDRESS = 'worker@haiku-fleet.invalid';

/** Author of commits, as text: a name, or `Name <address>`. */
export const gitAuthor = z.string().refine((text) => parse(text) !== null, {
  error: (issue) => `expected a name, or Name <address>, got ${shown(issue.input)}`,
});

/** Reads what `gitAuthor` has accepted. */
export function toGitAuthor(text: string): GitAuthor {
  return parse(text) ?? { name: 'haiku-fleet', email: ADDRESS };
}

/** Quotes and backslashes would end a value of git's configuration. */
function parse(text: string): GitAuthor | null {
  const [, name = '', email = ADDRESS] = /^([^<>]*?)\s*(?:<([^<>\s]+)>)?$/.exec(text.trim()) ?? [];
  const isPlain = !/[\p{Cc}"\\]/u.test(name + email);
  return isPlain && /[\p{L}\p{N}]/u.test(name) ? { name, email } : null;
}
