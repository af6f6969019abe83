import { z } from 'zod';
import { shown } from './fields.ts';

/** First parts of the dashboard's own addresses: below such a prefix they could mean two pages. */
const OWN_PATHS = new Set(
  ['api', 'assets', 'findings', 'healthz', 'login', 'logout', 'metrics', 'patches', 'queues'].map((name) => `/${name}`),
);

/** The address under which a proxy shows the dashboard: protocol, host and perhaps a path. */
export const publicAddress = z.string().superRefine((value, context) => {
  const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
  if (!URL.canParse(value) || !['http:', 'https:'].includes(new URL(value).protocol)) {
    return refuse('expected an address like https://fleet.example.org/prefix');
  }
  const { username, password, search, hash, pathname } = new URL(value);
  if (username + password + search + hash !== '') {
    return refuse('expected protocol, host and path alone: no user, password, ? or #'); // not shown: it may hold a password
  }
  if (!/^[A-Za-z0-9._~/-]*$/.test(pathname) || pathname.includes('//')) {
    return refuse(`expected a path of letters, digits and . _ ~ -, got ${shown(pathname)}`);
  }
  const first = /^\/[^/]*/.exec(pathname)?.[0] ?? '';
  if (OWN_PATHS.has(first)) refuse(`expected another path: the dashboard has pages of its own under ${first}`);
});
