import { realpath } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { findProgram } from '../../../process/find-program.ts';
import { runGuarded, type ProgramResult } from '../../../process/guarded-program.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import type { WorkspaceContext } from '../tool.ts';

const DEADLINE_MS = 60_000;

/** Settings that prevent a repository's configuration from starting programs or using the network. */
const NEUTRAL: Record<string, string> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.untrackedCache': 'false',
  'core.pager': 'cat',
  'core.editor': 'false',
  'core.sshCommand': 'false',
  'core.askPass': 'false',
  'core.alternateRefsCommand': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.quotePath': 'false',
  'color.ui': 'false',
  'commit.gpgSign': 'false',
  'tag.gpgSign': 'false',
  'log.showSignature': 'false',
  'gpg.program': 'false',
  'gpg.openpgp.program': 'false',
  'gpg.x509.program': 'false',
  'gpg.ssh.program': 'false',
  'gpg.ssh.defaultKeyCommand': 'false',
  'credential.helper': '',
  'protocol.allow': 'never',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'submodule.recurse': 'false',
  'diff.ignoreSubmodules': 'dirty',
  'diff.submodule': 'short',
  'safe.directory': '*', // git's check of the owner protects against settings that run programs; these are off for every owner
  'safe.bareRepository': 'explicit',
};

type TextResult = Omit<ProgramResult, 'stdout'> & { stdout: string | null };
export type Git = (args: readonly string[], more?: Record<string, string>) => Promise<TextResult>;

/**
 * Returns a function that runs git in `folder`. No setting of the host or the repository can start a program, ask a question
 * or use a network.
 * @throws ToolRefusal if there is no repository, or if a part of it or of its worktree lies outside the workspace
 */
export async function openGit(folder: string, context: WorkspaceContext, signal: AbortSignal): Promise<Git> {
  const { root } = context.workspace;
  const program = await findProgram('git', root);
  if (program === null) throw new ToolRefusal('git: not installed on this host');
  const start = (settings: Record<string, string>): Git => {
    const env = toEnvironment(settings, root, program.searchPath);
    return async (args, more = {}) => {
      const options = { cwd: folder, env: { ...env, ...more }, signal, timeoutMs: DEADLINE_MS };
      const result = await runGuarded(program.path, ['--no-pager', ...args], options);
      return { ...result, stdout: result.stdout?.toString('utf8') ?? null };
    };
  };
  const first = start(NEUTRAL);
  await requireInside(first, root);
  return start({ ...NEUTRAL, ...(await neutraliseDrivers(first)) });
}

function toEnvironment(settings: Record<string, string>, root: string, searchPath: string): Record<string, string> {
  const pairs = Object.entries(settings);
  return {
    PATH: searchPath,
    HOME: '/dev/null',
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: dirname(root), // git looks for no repository above the workspace
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_NO_LAZY_FETCH: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_EDITOR: 'false',
    GIT_PAGER: 'cat',
    GIT_CONFIG_COUNT: String(pairs.length),
    ...Object.fromEntries(
      pairs.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** @throws ToolRefusal if the repository lies outside the workspace: a `.git` file or `core.worktree` can name any folder */
async function requireInside(git: Git, root: string): Promise<void> {
  const found = await git(['rev-parse', '--path-format=absolute', '--git-dir', '--git-common-dir', '--show-toplevel']);
  if (found.code !== 0 || found.stdout === null)
    throw new ToolRefusal('git: there is no repository here, inside the workspace');
  for (const folder of found.stdout.trim().split('\n')) {
    const real = await realpath(folder).catch(() => null);
    if (real === null || (real !== root && !real.startsWith(root + sep))) {
      throw new ToolRefusal('git: the repository, or a part of it, lies outside the workspace; it cannot be used');
    }
  }
}

/** Returns settings that turn off all filter and merge drivers. The repository chooses their names, so each is looked up. */
async function neutraliseDrivers(git: Git): Promise<Record<string, string>> {
  const listed = await git(['config', '--list', '--name-only', '-z']);
  if (listed.code !== 0 || listed.stdout === null)
    throw new ToolRefusal('git: the repository configuration cannot be read');
  const off: Record<string, string> = {};
  for (const key of listed.stdout.split('\0')) {
    const driver = /^(filter|merge)\.(.+)\.(clean|smudge|process|required|driver)$/s.exec(key);
    if (driver === null) continue;
    const section = `${driver[1]}.${driver[2]}`;
    if (driver[1] === 'merge') off[`${section}.driver`] = 'false';
    else Object.assign(off, { [`${section}.clean`]: '', [`${section}.smudge`]: '', [`${section}.process`]: '' });
    if (driver[1] === 'filter') off[`${section}.required`] = 'false';
  }
  return off;
}
