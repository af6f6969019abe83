import { readFileSync } from 'node:fs';
import { UsageError } from '../../errors.ts';
import { findUtf8Problem } from '../../text/decode-text.ts';

/** Where Linux keeps the arguments as bytes, each with a NUL behind it: https://man7.org/linux/man-pages/man5/proc_pid_cmdline.5.html */
const ARGUMENTS = '/proc/self/cmdline';

/**
 * Node decodes arguments with marks in place of bytes that are no UTF-8, and the words of a task would be stored so. Elsewhere
 * than on Linux the bytes cannot be seen.
 * @throws UsageError naming the argument and the byte
 */
export function requireExactArguments(): void {
  for (const argument of readArguments()) {
    const problem = findUtf8Problem(argument);
    if (problem === null) continue;
    const shown = JSON.stringify(argument.toString('utf8').slice(0, 80));
    throw new UsageError(`argument ${shown} ${problem}; use a terminal with UTF-8, or give the text in a file`);
  }
}

function readArguments(): Buffer[] {
  const bytes = readAll();
  const found: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    found.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return found;
}

function readAll(): Buffer {
  try {
    return readFileSync(ARGUMENTS);
  } catch {
    return Buffer.alloc(0); // not Linux
  }
}
