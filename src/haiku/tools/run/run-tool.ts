import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { findProgram } from '../../../process/find-program.ts';
import { runGuarded, type ProgramResult } from '../../../process/guarded-program.ts';
import { requireWritable, ToolRefusal } from '../tool-refusal.ts';
import { resolveFolder } from '../files/safe-path.ts';
import { defineTool, type Tool } from '../tool.ts';
import { withWorkspaceLock } from '../files/workspace-lock.ts';
import { compareSnapshot, takeSnapshot } from './workspace-snapshot.ts';

const DEADLINE_MS = 60_000;
const NOT_WATCHED = { changes: [], note: '' };

const inputSchema = z.strictObject({
  argv: z
    .array(
      z
        .string()
        .max(100_000)
        .refine((text) => !text.includes('\0'), 'may not contain a NUL byte'),
    )
    .min(1)
    .max(1_000)
    .describe('program name and its arguments, each an element of its own; there is no shell'),
  cwd: z.string().min(1).optional().describe('folder to run in, relative to the workspace'),
});

/**
 * Creates the tool that runs allowed programs. A program is not confined: it can read and write everything that the
 * worker's user can, so the operator must choose the names with care. Two snapshots of the workspace show what it changed.
 */
export function createRunTool(deadlineMs = DEADLINE_MS): Tool {
  return defineTool({
    name: 'run',
    description: `Run a program in the workspace, at most ${deadlineMs / 1_000} s. <environment> names the programs that may be started. No shell: no pipes, no redirection.`,
    input: inputSchema,
    async run({ argv: [name = '', ...args], cwd }, given) {
      if (!given.runAllow.includes(name) || /[/\\]/.test(name)) {
        throw new ToolRefusal(`run: ${JSON.stringify(name)} is not allowed; allowed: ${given.runAllow.join(', ')}`);
      }
      const context = await requireWritable(given);
      const { root, own } = context.workspace;
      const folder = await resolveFolder(cwd, context);
      const program = await findProgram(name, own?.personRoot ?? root);
      if (program === null) {
        throw new ToolRefusal(
          `${name}: not installed on this host (looked through PATH, without the workspace's own folders)`,
        );
      }
      return await withWorkspaceLock(context, async (signal) => {
        const home = await mkdtemp(join(tmpdir(), 'haiku-fleet-run-'));
        try {
          const before = own === undefined ? await takeSnapshot(root) : null; // git knows what changes in an own tree
          await context.stillMine?.();
          const env = { PATH: program.searchPath, HOME: home, LANG: process.env['LANG'] ?? 'C.UTF-8' };
          const result = await runGuarded(program.path, args, { cwd: folder, env, signal, timeoutMs: deadlineMs });
          const { changes, note } = before === null ? NOT_WATCHED : await compareSnapshot(root, before);
          return { content: toContent(result, deadlineMs) + note, isError: result.isTimedOut, changes };
        } finally {
          await rm(home, { recursive: true, force: true });
        }
      });
    },
  });
}

function toContent({ code, output, isTimedOut }: ProgramResult, deadlineMs: number): string {
  const end = isTimedOut
    ? `killed after ${deadlineMs / 1_000} s`
    : code === null
      ? 'killed by a signal'
      : `exit code ${code}`;
  return output === '' ? `[${end}, no output]` : `${output.replace(/\n?$/, '\n')}[${end}]`;
}
