import { findProgram } from '../../../process/find-program.ts';
import { runGuarded } from '../../../process/guarded-program.ts';
import type { Repository } from '../../../git/repository.ts';

export interface Identity {
  name: string;
  email: string;
}

export interface PersonSettings {
  /** Who makes commits here, by the person's own configuration and environment. Null: neither names anybody. */
  committer: Identity | null;
  /** How files look here, also by the person's global configuration; none of them can start a program. */
  looks: Record<string, string>;
}

const LOOKS = new Set([
  'core.autocrlf',
  'core.eol',
  'core.symlinks',
  'core.filemode',
  'core.ignorecase',
  'core.precomposeunicode',
]);
const PASSED = ['HOME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM'];

/** Reads the person's git configuration, includes too, as names and values: nothing acts on it. */
export async function readPersonSettings(repository: Repository, signal: AbortSignal): Promise<PersonSettings> {
  const all = await listSettings(repository, signal);
  const own = process.env;
  const name = own['GIT_COMMITTER_NAME'] ?? all.get('committer.name') ?? all.get('user.name');
  const email = own['GIT_COMMITTER_EMAIL'] ?? all.get('committer.email') ?? all.get('user.email') ?? own['EMAIL'];
  return {
    committer: isFilled(name) && isFilled(email) ? { name, email } : null,
    looks: Object.fromEntries([...all].filter(([key]) => LOOKS.has(key))),
  };
}

async function listSettings({ gitDir, root }: Repository, signal: AbortSignal): Promise<Map<string, string>> {
  const program = await findProgram('git', root);
  if (program === null) return new Map();
  const passed = PASSED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const env = { PATH: program.searchPath, LANG: 'C.UTF-8', GIT_DIR: gitDir, ...Object.fromEntries(passed) };
  const options = { cwd: gitDir, env, signal, timeoutMs: 30_000 };
  const { code, stdout } = await runGuarded(program.path, ['config', '--list', '--includes', '-z'], options);
  if (code !== 0 || stdout === null) return new Map();
  const pairs = stdout.toString('utf8').split('\0').filter(Boolean);
  return new Map(
    pairs.map((pair): [string, string] => {
      const end = pair.indexOf('\n');
      return end < 0 ? [pair, 'true'] : [pair.slice(0, end), pair.slice(end + 1)];
    }),
  );
}

function isFilled(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== '';
}
