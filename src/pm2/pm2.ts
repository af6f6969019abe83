import { READY_TIMEOUT_MS, type App } from './apps.ts';
import { isSecretName, withoutSecretsMeanwhile } from '../config/own-environment.ts';
import { readDaemonPid, withinDeadline } from './daemon.ts';

/** One process as pm2 lists it. */
export interface Pm2Process {
  id: number;
  name: string;
  pid: number;
  /** `online` once it sent `ready`, `launching` before; `waiting restart`, `stopped` or `errored` while it does not run. */
  status: string;
  restarts: number;
  /** Of its last end; null where it never ended. */
  exitCode: number | null;
  /** File of its error output. */
  errorLog: string;
  /** After so long, ms, pm2 kills it when it should end. */
  killTimeoutMs: number;
  /** Names of the fleet's secrets in the environment that pm2 stores of it: `pm2 save` would write them to a file. */
  secrets: string[];
}

/** The calls of pm2 that the fleet makes. It never kills the daemon and never saves pm2's list. */
export interface Pm2 {
  list(namespace: string): Promise<Pm2Process[]>;
  /** Starts an app that has no process yet. Resolves when its processes are ready or have ended, or pm2 stops waiting. */
  start(app: App): Promise<void>;
  /** Starts further processes of a running app, up to `count` in all, with the environment of the running ones. */
  scale(name: string, count: number): Promise<void>;
  /**
   * Restarts with the environment of its first start; the process itself reads `.env` again.
   * @param killTimeoutMs pm2's patience from now on; more of what it had stays, for the process that ends
   */
  restart(process: Pm2Process, killTimeoutMs: number): Promise<void>;
  /** Ends a process gracefully and removes it from pm2's list. */
  remove(process: Pm2Process): Promise<void>;
}

/** Deadline of calls that pm2 answers at once; on a busy machine the daemon is slow. */
const ANSWER_MS = 30_000;
/** pm2's own, where an app has none. */
const PM2_KILL_TIMEOUT_MS = 1_600;

type Callback = (error: unknown, result?: unknown) => void;

/** pm2's own programmatic API, as far as it is used; `scale` is missing in its types. */
interface Pm2Api {
  connect(done: Callback): void;
  disconnect(): void;
  list(done: Callback): void;
  start(options: object, done: Callback): void;
  scale(name: string, count: number, done: Callback): void;
  restart(id: number, options: { killTimeout: number }, done: Callback): void;
  delete(id: number, done: Callback): void;
}

interface ListedProcess {
  pm_id: number;
  name: string;
  pid: number;
  pm2_env: {
    namespace?: string;
    status: string;
    restart_time?: number;
    exit_code?: number;
    pm_err_log_path?: string;
    kill_timeout?: number;
    env?: Record<string, unknown>;
  };
}

/** Connects to the user's pm2 daemon (of `PM2_HOME`), and disconnects afterwards. pm2 starts a daemon if there is none. */
export async function withPm2<T>(use: (pm2: Pm2) => Promise<T>): Promise<T> {
  const api = (await import('pm2')).default as unknown as Pm2Api;
  let daemon: number | null = null;
  const ask = <R>(what: string, deadlineMs: number, call: (done: Callback) => void): Promise<R> =>
    withinDeadline(
      what,
      daemon,
      deadlineMs,
      new Promise((resolve, reject) => {
        call((error, result) => (error ? reject(toError(error)) : resolve(result as R)));
      }),
    );
  // A daemon that this call starts keeps its environment as long as it runs, and its processes can read it.
  await withoutSecretsMeanwhile(() => ask('answer', ANSWER_MS, (done) => api.connect(done)));
  daemon = readDaemonPid();
  try {
    return await use({
      async list(namespace) {
        const all = await ask<ListedProcess[]>('list its processes', ANSWER_MS, (done) => api.list(done));
        return all.filter((process) => process.pm2_env.namespace === namespace).map(toProcess);
      },
      // A copy: pm2 changes the object.
      start: (app) =>
        ask(`start ${app.name}`, app.instances * READY_TIMEOUT_MS + ANSWER_MS, (done) => api.start({ ...app }, done)),
      scale: (name, count) =>
        ask(`scale ${name}`, count * READY_TIMEOUT_MS + ANSWER_MS, (done) => api.scale(name, count, done)),
      restart({ id, killTimeoutMs: before }, wanted) {
        const killTimeout = Math.max(before, wanted);
        return ask(`restart process ${id}`, killTimeout + READY_TIMEOUT_MS + ANSWER_MS, (done) =>
          api.restart(id, { killTimeout }, done),
        );
      },
      remove: ({ id, killTimeoutMs }) =>
        ask(`end process ${id}`, killTimeoutMs + ANSWER_MS, (done) => api.delete(id, done)),
    });
  } finally {
    api.disconnect();
  }
}

function toProcess({ pm_id, name, pid, pm2_env }: ListedProcess): Pm2Process {
  return {
    id: pm_id,
    name,
    pid,
    status: pm2_env.status,
    restarts: pm2_env.restart_time ?? 0,
    exitCode: pm2_env.exit_code ?? null,
    errorLog: pm2_env.pm_err_log_path ?? '',
    killTimeoutMs: pm2_env.kill_timeout ?? PM2_KILL_TIMEOUT_MS,
    secrets: Object.keys({ ...pm2_env, ...pm2_env.env }).filter(isSecretName),
  };
}

function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const first: unknown = Array.isArray(thrown) ? thrown[0] : thrown;
  if (first instanceof Error) return first;
  return new Error(`pm2: ${typeof first === 'string' ? first : JSON.stringify(first)}`);
}
