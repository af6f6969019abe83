import { stripVTControlCharacters } from 'node:util';

/**
 * A program's output as text without a terminal: colours, titles and cursor moves are left out, each overwritten line gets a line
 * of its own, and a NUL is shown, since it separates things.
 */
export function toPlainOutput(output: string): string {
  return stripVTControlCharacters(output)
    .replaceAll(/\r+\n/g, '\n')
    .replaceAll('\r', '\n')
    .replaceAll('\0', '\u2400')
    .replaceAll(/[^\P{Cc}\n\t]/gu, '');
}
