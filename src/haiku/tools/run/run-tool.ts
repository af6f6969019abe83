import { tmpdir, userInfo } from 'node:os';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { findProgram } from '../../../process/find-program.ts';
import { runGuarded, type ProgramResult } from '../../../process/guarded-program.ts';
import { countOf } from '../../../text/plural.ts';
import { requireWritable, ToolRefusal } from '../tool-refusal.ts';
import { resolveFolder } from '../files/safe-path.ts';
import { defineTool, type RunSettings, type Tool } from '../tool.ts';
import { withWorkspaceLock } from '../files/workspace-lock.ts';
import { toPlainOutput } from './program-output.ts';
import { splitWords } from './split-words.ts';
import { createTaskHome } from './task-home.ts';
import { watchWorkspace } from './workspace-snapshot.ts';

/** Longest run of a program where no configuration says otherwise. */
const TIMEOUT_MS = 120_000;
const NOT_WATCHED = { changes: [], note: '' };

const inputSchema = z.strictObject({
  argv: z
    .array(
      z
        .string()
        .max(100_000)
        .refine((text) => !text.includes('\0'), 'may not contain a NUL byte'),
      { error: ({ input }) => (typeof input === 'string' ? toWordsHint(input) : undefined) },
    )
    .min(1)
    .max(1_000)
    .describe('program name and its arguments, each an element of its own; there is no shell'),
  cwd: z.string().min(1).optional().describe('folder to run in, relative to the workspace'),
});

/**
 * The tool that runs allowed programs. A program is not confined: it can read and write everything that the worker's user can, so
 * the operator must choose the names with care.
 */
export const runTool: Tool = defineTool({
  name: 'run',
  description:
    'Run a program in the workspace. <environment> names the programs that may be started and the time limit. No shell: no pipes, no redirection; no input. Of long output the end is kept. What still runs at the end is ended.',
  input: inputSchema,
  async run({ argv: [name = '', ...args], cwd }, given) {
    requireAllowed(name, args, given.runAllow);
    const context = await requireWritable(given);
    const { root, own: tree } = context.workspace;
    const folder = await resolveFolder(cwd, context);
    const program = await findProgram(name, tree?.personRoot ?? root);
    if (program === null) {
      throw new ToolRefusal(
        `${name}: not installed on this host (looked through PATH, without the workspace's own folders)`,
      );
    }
    return await withWorkspaceLock(context, async (signal) => {
      const { timeoutMs, env, home, isLent } = toSettings(context.run);
      try {
        const homeVariables = await home.open();
        const changed = tree === undefined ? await watchWorkspace(root) : null; // git knows what changes in an own tree
        await context.stillMine?.();
        const own = { ...env, PATH: program.searchPath, LANG: env['LANG'] ?? process.env['LANG'] ?? 'C.UTF-8' };
        const options = { cwd: folder, env: { ...own, ...homeVariables }, signal, timeoutMs, isForeign: true };
        const result = await runGuarded(program.path, args, options);
        const { changes, note } = (await changed?.()) ?? NOT_WATCHED;
        return { content: toContent(result, timeoutMs) + note, isError: result.isTimedOut, changes };
      } finally {
        if (!isLent) await home.remove();
      }
    });
  },
});

function requireAllowed(name: string, args: string[], allowed: readonly string[]): void {
  if (allowed.includes(name) && !/[/\\]/.test(name)) return;
  const isLine = args.length === 0 && /\s/.test(name);
  const hint = isLine ? `; ${toWordsHint(name)}` : '';
  throw new ToolRefusal(`run: ${JSON.stringify(name)} is not allowed; allowed: ${allowed.join(', ')}${hint}`);
}

/** For a command line that came as one text. */
function toWordsHint(line: string): string {
  const words = splitWords(line);
  if (words === null) return 'expected a list of words, and there is no shell: call one program at a time';
  return `expected a list with each word as an element of its own: ${JSON.stringify(words)}`;
}

/** Without settings a program has a home of its own. */
function toSettings(settings: RunSettings | undefined): RunSettings & { isLent: boolean } {
  if (settings !== undefined) return { ...settings, isLent: true };
  const home = createTaskHome(join(tmpdir(), `haiku-fleet-homes-${userInfo().uid}`), randomUUID());
  return { timeoutMs: TIMEOUT_MS, env: {}, home, isLent: false };
}

function toContent({ code, endSignal, output, isTimedOut, leftBehind }: ProgramResult, timeoutMs: number): string {
  const end = isTimedOut
    ? `killed after ${timeoutMs / 1_000} s, the limit of one program`
    : code === null
      ? `killed by ${endSignal ?? 'a signal'}`
      : `exit code ${code}`;
  const left = leftBehind === 0 ? '' : `\n[ended what it left running: ${countOf(leftBehind, 'process', 'processes')}]`;
  const text = toPlainOutput(output);
  return `${text === '' ? `[${end}, no output]` : `${text.replace(/\n?$/, '\n')}[${end}]`}${left}`;
}
