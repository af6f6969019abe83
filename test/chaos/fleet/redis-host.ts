import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findRedisServer, missingServer } from '../../../src/redis/server/binary.ts';
import { findFreePort } from '../../../src/redis/server/embedded.ts';

const run = promisify(execFile);
/** What the append-only file may still grow while the disk is full: nothing. */
const FULL = '0';

/** A redis-server with an append-only file, which can be killed, started again, and given a full disk. */
export class RedisHost {
  readonly port: number;
  readonly #folder: string;
  #server: ChildProcess | null = null;
  readonly #pids = new Set<number>();
  /** When it last answered again, by `performance.now()`. */
  backAt = 0;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  static async start(folder: string): Promise<RedisHost> {
    const host = new RedisHost(await findFreePort(), folder);
    await host.start();
    return host;
  }

  async start(): Promise<void> {
    const binary = findRedisServer();
    if (binary === null) throw missingServer();
    const settings = `--port ${this.port} --bind 127.0.0.1 --save '' --appendonly yes --appendfsync everysec --maxmemory-policy noeviction --loglevel warning`;
    // A limit of the file size sends SIGXFSZ, which would end the server; where it is ignored, writing fails as on a full disk.
    const script = `trap '' XFSZ; exec -a "$1" "$0" ${settings}`;
    this.#server = spawn('/bin/bash', ['-c', script, binary.path, binary.argv0 ?? 'redis-server'], {
      cwd: this.#folder,
      stdio: 'ignore',
    });
    const { pid } = this.#server;
    if (pid !== undefined) this.#pids.add(pid);
    await this.#untilItAnswers();
    this.backAt = performance.now();
  }

  /** Ends the server without a warning. What it had acknowledged is in its file. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
    this.#pids.delete(server.pid ?? 0);
  }

  /** Ends the server while this process ends. */
  killNow(): void {
    for (const pid of this.#pids) process.kill(pid, 'SIGKILL');
  }

  /** For so long its disk takes no byte more: Redis refuses writes with MISCONF. */
  async fillDisk(ms: number): Promise<void> {
    const pid = String(this.#server?.pid ?? '');
    await run('prlimit', ['--pid', pid, `--fsize=${FULL}:unlimited`]);
    await sleep(ms);
    await run('prlimit', ['--pid', pid, '--fsize=unlimited:unlimited']).catch(() => undefined); // killed meanwhile
    this.backAt = performance.now();
  }

  async #untilItAnswers(): Promise<void> {
    for (let tries = 0; tries < 600; tries += 1) {
      const answer = await run('redis-cli', ['-p', String(this.port), 'ping']).catch(() => ({ stdout: '' }));
      if (answer.stdout.startsWith('PONG')) return;
      await sleep(50);
    }
    throw new Error('the redis-server of the run does not answer');
  }
}
