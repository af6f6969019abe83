import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { connectRedis, type RedisRole } from '../../../src/redis/connect.ts';
import { endIdleProcesses } from '../../../src/process/off-loop.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../../../src/redis/server/embedded.ts';
import { createDb, type Db } from '../../../src/redis/db.ts';
import { createKeys, type Keys } from '../../../src/redis/keys.ts';
import { useFolder } from '../folder.ts';
import { listChildren, waitUntil } from '../wait.ts';

export interface TestRedisOptions {
  /** True: the data survives a kill of the server. Default false. */
  appendOnly?: boolean;
  maxMemory?: string;
  /** False: a file keeps processes or connections over several of its tests. Default true. */
  leakGuard?: boolean;
}

/** One redis-server for each file, one swarm for each test. Read its fields inside hooks and tests only. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly folder: string;
  /** The support's own connection; waits through restarts. */
  readonly redis: Redis;
  /** New for every test: `FLEET_SWARM` of processes that the test starts. */
  readonly swarm: string;
  readonly keys: Keys;
  /** The swarm over the support's own connection. */
  readonly db: Db;
  /** The swarm over a connection of its own, closed after the test. */
  connectDb(role?: RedisRole): Promise<Db>;
  /** Opens another connection; closed after the test. */
  connect(role?: RedisRole): Promise<Redis>;
  /** Runs after the test, the last one first, before the leak guard. */
  cleanup(undo: () => unknown): void;
  /** Ends the server with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder. */
  start(): Promise<void>;
}

/**
 * Starts a redis-server for a test file, with its own port and folder. After each test it fails the test if a connection or
 * a child process is left that the support did not create.
 */
export function useRedis(options: TestRedisOptions = {}): TestRedis {
  const folder = useFolder();
  let server: EmbeddedRedis | undefined;
  let admin: Redis | undefined;
  let swarm = '';
  let db: Db | undefined;
  let undo: (() => unknown)[] = [];
  let children: number[] = [];

  const need = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('useRedis(): its fields stand inside hooks and tests only');
    return value;
  };
  const launch = async (port?: number) => {
    const { appendOnly = false, maxMemory } = options;
    server = await startEmbeddedRedis({ folder: folder.path, port, appendOnly, maxMemory, endWithParent: true });
  };

  const connect = async (role: RedisRole = 'worker'): Promise<Redis> => {
    const redis = await connectRedis(need(server).url, { role, name: 'test-own' });
    undo.push(() => redis.disconnect());
    return redis;
  };

  beforeAll(async () => {
    await launch();
    admin = await connectRedis(need(server).url, { role: 'worker', name: 'test-admin' });
  });
  beforeEach(async () => {
    swarm = `t${randomBytes(5).toString('hex')}`;
    db = undefined;
    children = await listChildren();
  });
  afterEach(async () => {
    for (const step of undo.toReversed()) await step();
    undo = [];
    if (options.leakGuard ?? true) await guard(need(admin), children);
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });

  return {
    get url() {
      return need(server).url;
    },
    get port() {
      return need(server).port;
    },
    get pid() {
      return need(server).pid;
    },
    get folder() {
      return folder.path;
    },
    get redis() {
      return need(admin);
    },
    get swarm() {
      return swarm;
    },
    get keys() {
      return createKeys(swarm);
    },
    get db() {
      return (db ??= createDb(need(admin), swarm));
    },
    connect,
    async connectDb(role) {
      return createDb(await connect(role), swarm);
    },
    cleanup(step) {
      undo.push(step);
    },
    async kill() {
      process.kill(need(server).pid, 'SIGKILL');
      await need(server).stop();
    },
    async start() {
      await launch(need(server).port);
      children = await listChildren();
    },
  };
}

async function guard(admin: Redis, before: number[]): Promise<void> {
  await endIdleProcesses();
  const openConnections = async () =>
    String(await admin.client('LIST')) // `name=` of BullMQ's connections names the queue
      .split('\n')
      .filter((line) => line !== '' && !/ name=test-(admin|own) /.test(line));
  const newChildren = async () => (await listChildren()).filter((pid) => !before.includes(pid));
  const quiet = async () => (await openConnections()).length === 0 && (await newChildren()).length === 0;
  if (await waitUntil(quiet, { timeoutMs: 3_000, orElse: () => false })) return;
  const left = [...(await openConnections()), ...(await newChildren()).map((pid) => `process ${pid}`)];
  for (const pid of await newChildren()) process.kill(pid, 'SIGKILL'); // children of this process: they must not disturb the next test
  throw new Error(`the test left open:\n${left.join('\n')}`);
}
