import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError, WaitTimeoutError } from '../../errors.ts';
import { countOf } from '../../text/plural.ts';

/** @throws UsageError for a timeout of a command that does not wait */
export function assertWaits(command: string, timeout: number | undefined, waits: boolean): void {
  if (timeout !== undefined && !waits)
    throw new UsageError(`${command}: --timeout is for a command that waits (--wait)`);
}

/**
 * Waits for work that other processes do. When the time is over, the command ends; the work continues.
 * @param limits.timeout seconds; undefined: no limit
 * @param limits.again the command line that waits again
 * @param wait prints its lines by `say`: one that goes on after the time is over prints no more. Its connection is closed then, and it
 * would tell of a Redis that is away
 * @throws WaitTimeoutError, for which the exit code is 4; what `wait` throws
 */
export async function waitInTime<T>(
  { timeout, again, id = null }: { timeout: number | undefined; again: string; id?: string | null },
  wait: (say: (line: string) => void) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const say = (line: string): void => {
    if (!over.signal.aborted) console.error(line);
  };
  if (timeout === undefined) return await wait(say);
  const limit = async (): Promise<never> => {
    await sleep(timeout * 1_000, undefined, { signal: over.signal });
    throw new WaitTimeoutError(
      id,
      `not ended after ${countOf(timeout, 'second')}; the work goes on. This waits again:\n  ${again}`,
    );
  };
  try {
    return await Promise.race([wait(say), limit()]);
  } finally {
    over.abort();
  }
}

/** This command line once more, for the job that it added: with its id, nothing is added twice. */
export function toSameCommand(idOption: string, id: string): string {
  const given = process.argv.slice(2);
  const words = given.includes(idOption) ? given : [...given, idOption, id];
  return ['fleet', ...words.map(quote)].join(' ');
}

/** As a shell takes it for one word. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
