import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isTerminal } from './print.ts';

/**
 * Prints a text: on a terminal that is smaller than it through the person's own pager, `$PAGER`, else `less`. The program is the
 * person's choice, so it runs in their shell and environment.
 */
export async function printPaged(text: string): Promise<void> {
  const pager = choosePager(text, process.stdout.rows ?? 0);
  if (pager === null || !(await runPager(pager, text))) process.stdout.write(text);
}

/** @param rows of the terminal. @returns null: no pager */
function choosePager(text: string, rows: number): string | null {
  if (!isTerminal() || text.split('\n').length <= rows) return null;
  const pager = process.env['PAGER'] ?? 'less';
  return pager.trim() === '' || pager === 'cat' ? null : pager;
}

/** @returns false: the pager is not installed */
async function runPager(command: string, text: string): Promise<boolean> {
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: { LESS: 'FRX', ...process.env },
  });
  child.stdin.on('error', () => undefined); // the person has left the pager
  child.stdin.end(text);
  const ignore = (): void => undefined; // Ctrl-C belongs to the pager
  process.on('SIGINT', ignore);
  try {
    const [code] = await once(child, 'exit');
    return code !== 127;
  } finally {
    process.off('SIGINT', ignore);
  }
}
