import { existsSync, readFileSync, statSync } from 'node:fs';

/** Stack frames, and what Node closes a crash with: the message above them is what tells. */
const NOISE = /^\s+at |^Node\.js v|^\s*[{}]?\s*$/;

/** The last lines of a process' error output, if it wrote any since that time (ms); pm2 appends to the file for ever. */
export function readLastWords(path: string, since: number, lineCount = 6): string[] {
  if (path === '' || !existsSync(path) || statSync(path).mtimeMs < since) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.filter((line) => !NOISE.test(line)).slice(-lineCount);
}
