import { FleetError } from '../errors.ts';
import { findProgram } from '../process/find-program.ts';
import { runGuarded, type ProgramResult } from '../process/guarded-program.ts';
import { toEnvironment } from './settings.ts';

const DEADLINE_MS = 60_000;
/** Longest output of git that is taken whole: a patch, or a list of paths. Bytes. */
const OUTPUT_CAP = 64 * 1024 * 1024;

/** Where a git process works. All paths are absolute. */
export interface GitPlace {
  /** Git directory whose configuration git reads: a private one, except for the commands of `plumbing.ts`. */
  gitDir: string;
  /** Null: the command touches no working tree. */
  workTree: string | null;
  /** Default: `index` of the git directory. */
  indexFile?: string;
  /** Folder of the objects. Default: `objects` of the git directory. */
  objects?: string;
  /** Folder in which git starts. Default: the working tree, else the git directory. */
  cwd?: string;
}

export interface GitCall {
  input?: string | Buffer;
  /** Variables besides those of `toEnvironment`. */
  env?: Readonly<Record<string, string>>;
  /** Most bytes of output that are kept. Default 64 MiB of stdout, 60,000 of both streams. */
  outputCap?: number;
  timeoutMs?: number;
}

/** Runs git and returns what it answered, whatever its exit code. @throws GitError if git is not installed; the abort reason */
export type Git = (args: readonly string[], call?: GitCall) => Promise<ProgramResult>;

/** git failed where it should not. The message holds the command's first words and what git wrote. */
export class GitError extends FleetError {
  override name = 'GitError';
}

/**
 * Returns a function that runs git at a place. No setting of the host can start a program, ask a question or use a network.
 * @param outside real path of the folder that may hold no program: the person's workspace
 * @throws GitError if git is not installed
 */
export async function createGit(place: GitPlace, outside: string, signal: AbortSignal): Promise<Git> {
  const program = await findProgram('git', outside);
  if (program === null) throw new GitError('git: not installed on this host');
  const env = { ...toEnvironment(program.searchPath), ...toPlace(place) };
  const cwd = place.cwd ?? place.workTree ?? place.gitDir;
  return async (args, { input, env: more = {}, outputCap, timeoutMs = DEADLINE_MS } = {}) =>
    await runGuarded(program.path, ['--no-pager', ...args], {
      cwd,
      env: { ...env, ...more },
      signal,
      timeoutMs,
      stdoutCap: outputCap ?? OUTPUT_CAP,
      ...(input === undefined ? {} : { input }),
    });
}

function toPlace({ gitDir, workTree, indexFile, objects }: GitPlace): Record<string, string> {
  return {
    GIT_DIR: gitDir,
    ...(workTree === null ? {} : { GIT_WORK_TREE: workTree }),
    ...(indexFile === undefined ? {} : { GIT_INDEX_FILE: indexFile }),
    ...(objects === undefined ? {} : { GIT_OBJECT_DIRECTORY: objects }),
  };
}

/** Runs git and returns its stdout to the byte. @throws GitError unless it exits 0 in time, with an output within the cap */
export async function mustGit(git: Git, args: readonly string[], call?: GitCall): Promise<Buffer> {
  const { code, output, stdout, isTimedOut } = await git(args, call);
  if (code === 0 && stdout !== null) return stdout;
  const what = isTimedOut ? 'reached its deadline' : code === 0 ? 'wrote more than is held' : `exit code ${code}`;
  const text = output.trim().split('\n').slice(-5).join('\n');
  throw new GitError(`git ${args.slice(0, 2).join(' ')}: ${what}${text === '' ? '' : `: ${text}`}`);
}

/** Runs git and returns its stdout as text, without the last newline. @throws GitError as `mustGit` */
export async function askGit(git: Git, args: readonly string[], call?: GitCall): Promise<string> {
  return (await mustGit(git, args, call)).toString('utf8').replace(/\n$/, '');
}

/** Runs git and returns the NUL-separated items of its output. @throws GitError as `mustGit` */
export async function listGit(git: Git, args: readonly string[], call?: GitCall): Promise<string[]> {
  return (await mustGit(git, args, call)).toString('utf8').split('\0').slice(0, -1);
}
