import { posix } from 'node:path';
import { normalize } from '../../../text/normalize.ts';

/** Common names of files and folders with secrets: globs for one part of a path. Case does not matter. */
export const GUARDED_NAMES = [
  '.env*',
  '*.pem',
  '*.key',
  '*.p12',
  '*.pfx',
  '*.jks',
  '*.keystore',
  '*.kdbx',
  '*.ppk',
  'id_rsa*',
  'id_dsa*',
  'id_ecdsa*',
  'id_ed25519*',
  '.npmrc',
  '.netrc',
  '_netrc',
  '.pypirc',
  '.pgpass',
  '.htpasswd',
  '.dockercfg',
  '.git-credentials',
  'credentials*',
  '.ssh',
  '.gnupg',
  '.aws',
] as const;

const guarded = new RegExp(
  `^(?:${GUARDED_NAMES.map((name) => name.replaceAll('.', '\\.').replaceAll('*', '.*')).join('|')})$`,
  'is',
);

/** Whether any part of the path has a guarded name (`.env`, `deploy/id_rsa.pub`, `.ssh/config`). */
export function isGuardedName(path: string): boolean {
  return path.split('/').some((part) => guarded.test(normalize(part, 'NFKC')));
}

/** Whether a part of the path is `.git`. Case does not matter: some file systems ignore it. */
export function isGitInternal(path: string): boolean {
  return path.split('/').some((part) => normalize(part, 'NFKC').toLowerCase() === '.git');
}

/** Whether the task lists this file, so that its name is not guarded. */
export function isNamed(path: string, files: readonly string[]): boolean {
  const composed = normalize(path, 'NFC');
  return files.some((file) => normalize(posix.normalize(file), 'NFC') === composed);
}
