import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Settings that a private git directory has. None can start a program, or read another file. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  core: [
    'repositoryformatversion',
    'bare',
    'hookspath',
    'autocrlf',
    'eol',
    'safecrlf',
    'symlinks',
    'filemode',
    'ignorecase',
    'precomposeunicode',
    'bigfilethreshold',
  ],
  extensions: ['objectformat'],
  gc: ['auto'],
  maintenance: ['auto'],
  user: ['name', 'email'],
};

/**
 * Takes everything else out of the configuration of a private git directory: a program that a task ran may have set a
 * filter there, or an include, which the next git of the fleet would obey.
 */
export async function cleanConfig(gitDir: string): Promise<void> {
  const path = join(gitDir, 'config');
  await rm(join(gitDir, 'commondir'), { force: true }); // it would name another folder with a configuration
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return; // git does without it
  const clean = keepPlain(text);
  if (clean === text) return;
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, clean);
  await rename(draft, path);
}

/** Each kept line is read by itself: it begins a known section, or sets one known key of it to a value that ends with it. */
function keepPlain(text: string): string {
  let section: string | undefined;
  let kept = '';
  for (const line of text.split('\n')) {
    if (line.trimStart().startsWith('[')) {
      section = /^\[([a-z]+)\]$/.exec(line)?.[1];
      if (section !== undefined && Object.hasOwn(KEPT, section)) kept += `${line}\n`;
      continue;
    }
    const key = /^\t([A-Za-z]+) = (?:[^"\\]*|"(?:[^"\\]|\\["\\n])*")$/.exec(line)?.[1];
    if (key !== undefined && KEPT[section ?? '']?.includes(key.toLowerCase()) === true) kept += `${line}\n`;
  }
  return kept;
}
