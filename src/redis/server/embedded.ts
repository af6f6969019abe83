import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisUnusableError } from '../../errors.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { findRedisServer, missingServer, type ServerBinary } from './binary.ts';

export interface EmbeddedRedisOptions {
  /** Folder of its data and its log (`redis.log`); made with mode 700. */
  folder: string;
  /** Default 0: any free port. */
  port?: number;
  /** Whether it writes to disk every second, so that a crash loses a second at most. Default true. */
  appendOnly?: boolean;
  /** In Redis' notation, such as `100mb`. Default: no limit. */
  maxMemory?: string;
  /** Whether it ends when this process ends, even by kill -9. Default false. */
  endWithParent?: boolean;
}

export interface EmbeddedRedis {
  url: string;
  port: number;
  pid: number;
  /** Resolves when the server has ended, for any reason. */
  ended: Promise<void>;
  /** Ends it after it has written its data. Safe to call twice. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 10_000;
const PORT_TRIES = 8;

/**
 * Starts a redis-server of the fleet's own: loopback only, no eviction, its own folder; no service, no configuration file.
 * @throws RedisUnusableError when there is no redis-server (with the line that installs it), or it does not start
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const binary = findRedisServer();
  if (binary === null) throw missingServer();
  await makeFolder(options.folder, { mode: 0o700, setting: "the data of the fleet's own Redis (FLEET_DATA)" });
  chmodSync(options.folder, 0o700);
  for (let tries = 1; ; tries += 1) {
    const port = options.port ? options.port : await findFreePort();
    const server = await startOn(port, binary, options);
    if (server !== null) return server;
    // Another program took the port between the check and the start. A port that the caller chose is never changed.
    if (options.port || tries === PORT_TRIES) {
      throw new RedisUnusableError(`port ${port} for the fleet's own Redis is taken by another program`);
    }
  }
}

/** A port that was free a moment ago; another program may take it before you do. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('the probe socket has no port');
  return address.port;
}

export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
    return true;
  } catch {
    return false;
  }
}

async function startOn(
  port: number,
  binary: ServerBinary,
  options: EmbeddedRedisOptions,
): Promise<EmbeddedRedis | null> {
  const logPath = join(options.folder, 'redis.log');
  const log = openSync(logPath, 'w', 0o600);
  // In a process group of its own: Ctrl-C in a terminal must not reach Redis before the fleet has ended.
  const child = spawn(binary.path, serverArguments(port, options), {
    argv0: binary.argv0,
    cwd: options.folder,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let alive = true;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  }).then(() => void (alive = false));
  const pid = child.pid;
  const watchdog = options.endWithParent && pid !== undefined ? startWatchdog(pid) : null;
  const release = async () => {
    // Called after the server has ended: when the pipe closes, the watchdog would kill its pid, by then perhaps another process'.
    if (watchdog === null || watchdog.exitCode !== null || watchdog.signalCode !== null) return;
    watchdog.ref(); // without it Node may end during this wait
    watchdog.kill('SIGKILL');
    await once(watchdog, 'exit');
  };
  const state = pid === undefined ? 'dead' : await waitUntilAnswers(port, pid, () => alive);
  if (state !== 'ready' || pid === undefined) {
    if (alive) child.kill('SIGKILL');
    await ended;
    await release();
    const output = readFileSync(logPath, 'utf8');
    if (state === 'taken' || /address already in use/i.test(output)) return null;
    throw new RedisUnusableError(`the fleet's own Redis did not start in ${options.folder}: ${lastLines(output)}`);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid,
    ended,
    async stop() {
      if (alive) child.kill('SIGTERM');
      const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(deadline);
      await release();
    },
  };
}

function serverArguments(port: number, options: EmbeddedRedisOptions): string[] {
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    daemonize: 'no',
    dir: options.folder,
    save: '',
    appendonly: (options.appendOnly ?? true) ? 'yes' : 'no',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  };
  if (options.maxMemory !== undefined) settings.maxmemory = options.maxMemory;
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Waits until the server on this port answers. `taken`: another server answers. */
async function waitUntilAnswers(port: number, pid: number, alive: () => boolean): Promise<'ready' | 'taken' | 'dead'> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (alive() && Date.now() < deadline) {
    const found = await readServerPid(port);
    if (found === pid) return 'ready';
    if (found !== null) return 'taken';
    await sleep(10);
  }
  return 'dead';
}

async function readServerPid(port: number): Promise<number | null> {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 1_000,
  });
  redis.on('error', () => undefined); // expected until the server is up
  try {
    await redis.connect(); // resolves when the data is loaded
    return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1] ?? -1);
  } catch {
    return null;
  } finally {
    redis.disconnect();
  }
}

/** A shell that waits until the other end of its pipe closes; the kernel closes it whenever and however this process ends. */
function startWatchdog(pid: number): ChildProcess {
  const script = `read -r _; kill -TERM ${pid}; for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 ${pid} || exit 0; sleep 0.5; done; kill -9 ${pid}`;
  const watchdog = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watchdog.on('error', () => undefined); // without a shell, only `stop()` ends the server
  watchdog.unref();
  return watchdog;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' | ').slice(-600);
}
