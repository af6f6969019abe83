import type { Readable } from 'node:stream';
import { runGuarded } from '../../../../process/guarded-program.ts';
import { ToolRefusal } from '../../tool-refusal.ts';

/** Most virtual memory of one search. A search that needs more ends itself. Systems without `ulimit -v` do not keep it. */
const MEMORY_KIB = 1024 * 1024;
const LIMITED_START = `ulimit -v ${MEMORY_KIB} 2>/dev/null; exec "$@"`;

/**
 * What makes a search alike on every host: no configuration, no file of ripgrep's own rules, no rules from above the workspace,
 * no memory maps (a file that shrinks would end the search).
 */
const ALWAYS = [
  '--no-config',
  '--color=never',
  '--no-mmap',
  '--hidden',
  '--no-require-git',
  '--no-ignore-dot',
  '--no-ignore-exclude',
  '--no-ignore-global',
  '--no-ignore-parent',
  '--no-follow',
  '--threads=4',
];

export interface EngineEnd {
  /** 0: found something, 1: nothing, 2: refused, or some files could not be read. Null: a signal ended it. */
  code: number | null;
  /** What it wrote to stderr. */
  words: string;
  isTimedOut: boolean;
  /** Whether it was ended because its reader needed no more. */
  isStopped: boolean;
}

/** Returns the absolute path of the ripgrep that npm installed with the fleet; null: there is none for this system. */
export async function findEngine(): Promise<string | null> {
  try {
    return (await import('@vscode/ripgrep')).rgPath;
  } catch {
    return null; // an optional package: `npm --omit=optional`, or a system without one
  }
}

/**
 * Runs ripgrep in the workspace, never one of PATH. It ends when `read` returns.
 * @throws ToolRefusal if it is not installed; the signal's reason; what `read` throws
 */
export async function runEngine(
  args: readonly string[],
  options: { root: string; signal: AbortSignal; timeoutMs: number; read(stdout: Readable): Promise<void> },
): Promise<EngineEnd> {
  const engine = await findEngine();
  if (engine === null) {
    throw new ToolRefusal(
      `this host has no ripgrep for ${process.platform}-${process.arch}, so grep, glob and list do not work here; read still does`,
    );
  }
  const { root, signal, timeoutMs, read } = options;
  let isStopped = false;
  const readStdout = async (stdout: Readable): Promise<void> => {
    await read(stdout);
    isStopped = !stdout.readableEnded;
  };
  const env = { PATH: '/usr/bin:/bin' };
  const start = ['-c', LIMITED_START, 'sh', engine, ...ALWAYS, ...args];
  const { code, output, isTimedOut } = await runGuarded('/bin/sh', start, {
    cwd: root,
    env,
    signal,
    timeoutMs,
    readStdout,
  });
  return { code, words: output, isTimedOut, isStopped };
}

/** Whether the engine ended because its memory did not suffice. */
export function isOutOfMemory({ code, words }: EngineEnd): boolean {
  return code !== 0 && code !== 1 && words.includes('memory allocation of');
}
