import { posix } from 'node:path';

/** Names that commonly hold secrets, as globs over one path part. Letter case does not matter. */
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

/** Whether any part of the path is the name of a secret (`.env`, `deploy/id_rsa.pub`, `.ssh/config`). */
export function isGuardedName(path: string): boolean {
  return path.split('/').some((part) => guarded.test(part.normalize('NFKC')));
}

/** Whether the path leads into a repository's own folder, whatever its case: some disks do not tell cases apart. */
export function isGitInternal(path: string): boolean {
  return path.split('/').some((part) => part.normalize('NFKC').toLowerCase() === '.git');
}

/** Whether the task itself names this file, which lifts the guard for it. */
export function isNamed(path: string, files: readonly string[]): boolean {
  return files.some((file) => posix.normalize(file) === path);
}
