import { existsSync, readFileSync, statSync } from 'node:fs';

/** The last lines of a process' error output, if it wrote any since that time (ms); pm2 appends to the file for ever. */
export function readLastWords(path: string, since: number, lineCount = 6): string[] {
  if (path === '' || !existsSync(path) || statSync(path).mtimeMs < since) return [];
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lineCount);
}
