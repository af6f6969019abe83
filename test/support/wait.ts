import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions<T> {
  timeoutMs?: number;
  /** The expected state, for the message. */
  what?: string;
  /** Instead of an error. */
  orElse?: () => T;
}

/** Polls until the answer is truthy, and returns it. @throws Error that names the expected state */
export async function waitUntil<T>(ask: () => T | Promise<T>, options: WaitOptions<T> = {}): Promise<T> {
  const { timeoutMs = 25_000, what = 'the condition' } = options;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) {
      if (options.orElse) return options.orElse();
      throw new Error(`${what} did not come true within ${timeoutMs} ms`);
    }
    await sleep(20);
  }
}

export interface ProgressOptions {
  /** How much is done. The wait ends well at `all`. */
  done: () => Promise<number>;
  all: number;
  /** It fails when nothing more was done for so long: a stall. A slow machine takes longer, and does not fail. */
  stillMs?: number;
  /** What is counted, for the message. */
  what: string;
  /** What else the message says of a stall. */
  describe?: () => Promise<string>;
}

/** Waits for much work that has no time of its own. @throws Error if it stands still */
export async function waitForProgress(options: ProgressOptions): Promise<void> {
  const { done, all, stillMs = 120_000, what, describe } = options;
  let most = -1;
  let movedAt = Date.now();
  for (;;) {
    const now = await done();
    if (now >= all) return;
    if (now > most) {
      most = now;
      movedAt = Date.now();
    }
    if (Date.now() - movedAt > stillMs) {
      const more = describe === undefined ? '' : `: ${await describe()}`;
      throw new Error(`${what}: ${most} of ${all}, and no more in ${stillMs} ms${more}`);
    }
    await sleep(100);
  }
}

/** Direct child processes of a process (default: this one). */
export async function listChildren(parent = process.pid): Promise<number[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(parent)]).catch(() => ({ stdout: '' }));
    return stdout.split('\n').filter(Boolean).map(Number);
  }
  const found: number[] = [];
  for (const thread of await readdir(`/proc/${parent}/task`).catch(() => [])) {
    const children = await readFile(`/proc/${parent}/task/${thread}/children`, 'utf8').catch(() => '');
    found.push(...children.split(' ').filter(Boolean).map(Number));
  }
  return found;
}

/** Every process below one, at any depth. */
export async function listDescendants(parent: number): Promise<number[]> {
  const children = await listChildren(parent);
  const deeper = await Promise.all(children.map((child) => listDescendants(child)));
  return [...children, ...deeper.flat()];
}

/** Whether a process exists. A zombie counts as ended. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}
