import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git } from '../../../git/git.ts';
import { ToolRefusal } from '../tool-refusal.ts';
import type { WorkspaceContext } from '../tool.ts';
import type { GitArguments } from './arguments.ts';
import { areFiles, checkPaths, toHidden } from './paths.ts';
import { checkRevision, checkRevisions } from './revisions.ts';

const SHOWS_CONTENT = /^(-p|--patch|--(num|short)?stat|--name-|--summary|--raw|-[USGWmcR]|--unified|--word-diff|--cc)/;

/**
 * Returns the arguments for a command that only reads: checked revisions, then `--`, then checked paths, so that git takes
 * neither for the other, and patterns that hide guarded files.
 * @param folder absolute; git runs in it
 * @throws ToolRefusal for a path outside the workspace, a guarded name, or a word that is no revision
 */
export async function toCommandLine(
  parsed: GitArguments,
  folder: string,
  git: Git,
  context: WorkspaceContext,
): Promise<string[]> {
  const { command, options } = parsed;
  const { revisions, words } = await splitWords(parsed, folder);
  const paths = await checkPaths(words, folder, context);
  revisions.forEach(checkRevision);
  const areBlobs = await checkRevisions(revisions, context.files, git);
  const safe = ['diff', 'log', 'show'].includes(command) ? ['--no-ext-diff', '--no-textconv'] : [];
  if (command === 'status' || command === 'diff') safe.push('--ignore-submodules=all');
  const showsContent = command !== 'log' || options.some((option) => SHOWS_CONTENT.test(option));
  if (options.includes('--follow') && showsContent && options.some((option) => SHOWS_CONTENT.test(option))) {
    throw new ToolRefusal(
      'git log: --follow shows no content, because the file may have had a guarded name; leave one out',
    );
  }
  // With paths, log leaves out commits that touch none of them. So they are added only if the options show content.
  const showsAll = command === 'status' || areBlobs || (paths.length === 0 && !showsContent);
  const hidden = showsAll || (await areFiles(words, folder)) ? [] : toHidden();
  const everything = hidden.length > 0 && paths.length === 0 ? [':/'] : [];
  return [command, ...safe, ...options, ...revisions, '--', ...paths, ...everything, ...hidden];
}

/** Sorts words into revisions and paths. Without `--`, a word is a path if the file exists, else a revision. */
async function splitWords(
  { command, words, paths }: GitArguments,
  folder: string,
): Promise<{ revisions: string[]; words: string[] }> {
  const revisions: string[] = [];
  const found = [...(paths ?? [])];
  for (const word of words) {
    const isPath =
      command === 'status' || (paths === null && !word.startsWith(':') && (await exists(join(folder, word))));
    if (isPath) found.push(word);
    else revisions.push(word);
  }
  return { revisions, words: found };
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
