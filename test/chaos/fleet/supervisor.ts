import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type Kind = 'haiku' | 'librarian' | 'coordinator';

/** One life of one process. */
export interface Life {
  /** Unique over all lives: the id of the worker. */
  id: string;
  kind: Kind;
  child: ChildProcess;
  isReady: boolean;
  startedAt: number;
}

export interface SupervisorOptions {
  env: Record<string, string | undefined>;
  /** Address of Redis for a new process. */
  redisUrl(): string;
  /** How far the clock of a new process is ahead, ms. */
  clockShiftMs(): number;
  /** A process ended, and the run had not killed it. */
  onEndedByItself(life: Life, how: string, output: string): void;
}

const RESTART_AFTER_MS = 100; // as pm2 does
const KEEP_OUTPUT = 4_000;
const PRELOADS = ['./shift-clock.mjs', '../../../dist/src/process/end-with-parent.js'].flatMap((path) => [
  '--import',
  new URL(path, import.meta.url).href,
]);

/** Keeps the processes of the fleet running: one that ended is started again, as pm2 does. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #lives = new Map<string, Life>(); // by place, such as `haiku-2`
  readonly #ended = new Set<Promise<unknown>>();
  #count = 0;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Those of a kind that are ready. */
  ready(kind: Kind): Life[] {
    return [...this.#lives.values()].filter((life) => life.kind === kind && life.isReady);
  }

  /** Starts the process of a place. */
  start(kind: Kind, place: string): void {
    if (this.#closed) return;
    this.#count += 1;
    const id = `${place}-${this.#count}`;
    const main = fileURLToPath(new URL(`../../../dist/workers/${kind}.js`, import.meta.url));
    const shift = this.#options.clockShiftMs();
    const child = spawn(process.execPath, [...PRELOADS, main], {
      env: {
        ...this.#options.env,
        REDIS_URL: this.#options.redisUrl(),
        FLEET_WORKER_ID: id,
        CHAOS_CLOCK_MS: String(shift),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const life: Life = { id, kind, child, isReady: false, startedAt: performance.now() };
    this.#lives.set(place, life);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => (output = (output + String(chunk)).slice(-KEEP_OUTPUT)));
    }
    child.once('message', () => (life.isReady = true));
    const ended = once(child, 'exit').then(([code, signal]) => {
      life.isReady = false;
      if (this.#closed) return;
      if (signal !== 'SIGKILL') this.#options.onEndedByItself(life, `code ${code}, signal ${signal}`, output);
      setTimeout(() => this.start(kind, place), RESTART_AFTER_MS);
    });
    this.#ended.add(ended);
    void ended.finally(() => this.#ended.delete(ended));
  }

  async kill(life: Life): Promise<void> {
    const ended = once(life.child, 'exit');
    life.isReady = false;
    if (life.child.exitCode !== null || life.child.signalCode !== null) return;
    life.child.kill('SIGKILL');
    await ended;
  }

  /** Ends all processes with SIGTERM, and those that do not end with SIGKILL. @returns how many had to be killed */
  async close(graceMs: number): Promise<number> {
    this.#closed = true;
    const running = [...this.#lives.values()].filter(
      ({ child }) => child.exitCode === null && child.signalCode === null,
    );
    for (const { child } of running) child.kill('SIGTERM');
    let forced = 0;
    const timer = setTimeout(() => {
      for (const { child } of running)
        if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) forced += 1;
    }, graceMs);
    await Promise.all(this.#ended);
    clearTimeout(timer);
    return forced;
  }
}
