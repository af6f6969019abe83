import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeFolder } from '../../../files/make-folder.ts';
import { z } from 'zod';
import { errorCode, ignoreMissing, ToolRefusal } from '../tool-refusal.ts';
import type { WorkspaceContext } from '../tool.ts';
import { isAlive } from '../../../process/program/is-alive.ts';

/** The holder touches its lock file this often. A holder that has not done so for `STALE_MS` loses the lock. */
const BEAT_MS = 1_500;
const STALE_MS = 15_000;
/** A holder whose process does not exist loses the lock after this. Not at once: it may run in another container. */
const GONE_MS = 5_000;
const POLL_MS = 25;
/** After this wait, the tool refuses: the workspace is busy. */
const WAIT_LIMIT_MS = 5 * 60_000;

/** The content of a lock file: the holder of the lock. */
const holderSchema = z.object({ token: z.string(), pid: z.int(), host: z.string() });
type Holder = z.output<typeof holderSchema>;

/** Lock file → the end of this process' queue for it. Tasks of one process queue up, so that only one polls the file. */
const queues = new Map<string, Promise<void>>();

/**
 * Runs `work` as the only writer of the workspace on this host, across all processes.
 * @param work gets a signal that also fires if another process took the lock over because this process was frozen
 * @throws ToolRefusal if the workspace stayed busy, or if the lock was lost during the work; the signal's abort reason
 */
export async function withWorkspaceLock<T>(
  context: WorkspaceContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const folder = context.lockFolder ?? join(tmpdir(), `haiku-fleet-locks-${userInfo().uid}`);
  await makeFolder(folder, { mode: 0o700 });
  const name = createHash('sha256').update(context.workspace.root).digest('hex').slice(0, 32);
  const path = join(folder, `${name}.lock`);
  const leave = await waitForTurn(path, context.signal);
  try {
    const release = await acquire(path, context);
    try {
      return await work(AbortSignal.any([context.signal, release.lost]));
    } catch (error) {
      release.lost.throwIfAborted();
      throw error;
    } finally {
      await release.done();
    }
  } finally {
    leave();
  }
}

/** Waits until all earlier tasks of this process have left the queue. @returns leaves the queue */
async function waitForTurn(path: string, signal: AbortSignal): Promise<() => void> {
  const before = queues.get(path) ?? Promise.resolve();
  const { promise: mine, resolve: leave } = deferred();
  const queue = before.then(() => mine);
  queues.set(path, queue);
  void queue.then(() => {
    if (queues.get(path) === queue) queues.delete(path);
  });
  const { promise: aborted, resolve: abort } = deferred();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  await Promise.race([before, aborted]);
  signal.removeEventListener('abort', abort);
  if (signal.aborted) {
    leave();
    signal.throwIfAborted();
  }
  return leave;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function acquire(path: string, context: WorkspaceContext): Promise<{ lost: AbortSignal; done(): Promise<void> }> {
  const me: Holder = { token: randomUUID(), pid: process.pid, host: hostname() };
  const until = performance.now() + WAIT_LIMIT_MS;
  while (!(await create(path, me))) {
    context.signal.throwIfAborted();
    if (performance.now() > until) {
      throw new ToolRefusal(
        `workspace ${context.workspace.name}: another task is writing in it for minutes; try later`,
      );
    }
    if (!(await takeOver(path))) await wait(POLL_MS);
  }
  return hold(path, me);
}

async function create(path: string, holder: Holder): Promise<boolean> {
  const draft = `${path}.${holder.token}`; // written apart and then linked, so that no process reads a half-written lock
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

function hold(path: string, me: Holder): { lost: AbortSignal; done(): Promise<void> } {
  const lost = new AbortController();
  const lose = (cause: unknown): void =>
    lost.abort(
      new ToolRefusal('the workspace went to another task while this one stood still; look again and retry', { cause }),
    );
  const beat = async (): Promise<void> => {
    if ((await readHolder(path))?.token === me.token) await utimes(path, new Date(), new Date());
    else lose('taken over');
  };
  const timer = setInterval(() => void beat().catch(lose), BEAT_MS);
  timer.unref();
  return {
    lost: lost.signal,
    async done() {
      clearInterval(timer);
      if ((await readHolder(path))?.token === me.token) await unlink(path).catch(ignoreMissing);
    },
  };
}

/** Removes the lock of a dead or frozen holder. @returns whether the caller should try again at once */
async function takeOver(path: string): Promise<boolean> {
  const touched = await stat(path).catch(ignoreMissing);
  if (touched === undefined) return true;
  const age = Date.now() - touched.mtimeMs;
  const holder = await readHolder(path);
  const isGone = holder !== undefined && holder.host === hostname() && !isAlive(holder.pid);
  if (age < (isGone ? GONE_MS : STALE_MS)) return false;
  // Two waiters may see the same dead holder. Only the one that creates this mark may remove the lock, and it checks the
  // lock again before: the other would remove the new lock of the first.
  const mark = `${path}.gone`;
  if (!(await create(mark, { token: randomUUID(), pid: process.pid, host: hostname() }))) {
    const marked = await stat(mark).catch(ignoreMissing);
    if (marked !== undefined && Date.now() - marked.mtimeMs > STALE_MS) await unlink(mark).catch(ignoreMissing); // the process that created it died
    return false;
  }
  try {
    const now = await stat(path).catch(ignoreMissing);
    if (now?.ino === touched.ino && now.mtimeMs === touched.mtimeMs) await unlink(path).catch(ignoreMissing);
  } finally {
    await unlink(mark).catch(ignoreMissing);
  }
  return true;
}

/** Reads a lock file. Undefined: it does not exist, or does not name a holder. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    return ignoreMissing(error);
  }
}
