import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { connectRedis } from '../../../src/redis/connect.ts';
import { createDb } from '../../../src/redis/db.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { findRedisServer, missingServer } from '../../../src/redis/server/binary.ts';
import { findFreePort } from '../../../src/redis/server/embedded.ts';
import { waitUntil } from '../wait.ts';
import type { TestRedis } from './use-redis.ts';

/** One real server of a group: a master, a replica, a Sentinel or a node of a cluster. */
export interface GroupServer {
  port: number;
  pid: number;
  /** A plain connection to this server, whatever its role. */
  admin: Redis;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

/** Ends the server when this process ends, however it ends, and tells its id. */
const SCRIPT =
  'exec 3<&0; (exec -a "$1" "$2" "${@:3}") </dev/null >/dev/null 2>&1 & echo $!; read -r _ <&3; kill -9 $!';
const COMMON = { bind: '127.0.0.1', save: '', appendonly: 'no', 'repl-diskless-sync-delay': '0' };

/** @param settings of the server, by name; `sentinel`: lines of a Sentinel's file instead */
async function startGroupServer(
  folder: string,
  settings: Record<string, string>,
  sentinel: string[] | null = null,
): Promise<GroupServer> {
  const binary = findRedisServer();
  if (binary === null) throw missingServer();
  const port = await findFreePort();
  const home = join(folder, String(port));
  mkdirSync(home);
  const options = {
    ...(sentinel === null ? COMMON : { bind: '127.0.0.1' }),
    port: String(port),
    dir: home,
    ...settings,
  };
  const file = join(home, 'sentinel.conf');
  if (sentinel !== null) writeFileSync(file, `${sentinel.join('\n')}\n`);
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const first = sentinel === null ? [] : [file, '--sentinel'];
  const child = spawn('bash', ['-c', SCRIPT, 'server', binary.argv0, binary.path, ...first, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [pid] = (await once(child.stdout, 'data')) as [Buffer];
  const admin = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null, retryStrategy: () => 50 });
  admin.on('error', () => undefined); // until it listens, and after it was killed
  await admin.ping();
  return { port, pid: Number(String(pid)), admin, kill: () => kill(child, admin) };
}

async function kill(child: ChildProcess, admin: Redis): Promise<void> {
  admin.disconnect();
  if (child.exitCode !== null) return;
  child.stdin?.end();
  await once(child, 'exit');
}

/** One master, two replicas and three Sentinels. */
export async function startSentinelGroup(
  folder: string,
): Promise<{ servers: GroupServer[]; sentinels: GroupServer[]; url: string }> {
  const master = await startGroupServer(folder, {});
  const replicaOf = { replicaof: `127.0.0.1 ${master.port}` };
  const servers = [master, await startGroupServer(folder, replicaOf), await startGroupServer(folder, replicaOf)];
  await waitUntil(async () => /connected_slaves:2/.test(await master.admin.info('replication')), {
    what: 'two replicas',
  });
  const watch = [
    `sentinel monitor fleet 127.0.0.1 ${master.port} 2`,
    'sentinel down-after-milliseconds fleet 1000',
    'sentinel failover-timeout fleet 6000',
    'sentinel parallel-syncs fleet 1',
  ];
  const sentinels: GroupServer[] = [];
  for (let i = 0; i < 3; i += 1) sentinels.push(await startGroupServer(folder, {}, watch));
  const knows = async (one: GroupServer): Promise<boolean> =>
    /sentinels=3/.test(await one.admin.info('sentinel')) && /slaves=2/.test(await one.admin.info('sentinel'));
  await waitUntil(async () => (await Promise.all(sentinels.map(knows))).every(Boolean), {
    what: 'Sentinels that know all',
  });
  return {
    servers,
    sentinels,
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/fleet`,
  };
}

/** Three masters with a replica each. */
export async function startClusterNodes(folder: string): Promise<{ nodes: GroupServer[]; url: string }> {
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000' };
  const nodes: GroupServer[] = [];
  for (let i = 0; i < 6; i += 1) nodes.push(await startGroupServer(folder, settings));
  const [first] = nodes;
  if (first === undefined) throw new TypeError('six nodes were started');
  for (const [i, node] of nodes.entries()) {
    await node.admin.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
    await first.admin.cluster('MEET', '127.0.0.1', node.port);
  }
  const ranges = [
    [0, 5_461],
    [5_462, 10_922],
    [10_923, 16_383],
  ] as const;
  for (const [i, [from, to]] of ranges.entries()) {
    await nodes[i]?.admin.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
  }
  await waitUntil(
    async () => {
      const known = await Promise.all(nodes.map((node) => node.admin.cluster('INFO')));
      return known.every((info) => /cluster_known_nodes:6/.test(info));
    },
    { what: 'nodes that know each other' },
  );
  for (const i of [0, 1, 2]) {
    const id = await nodes[i]?.admin.cluster('MYID');
    await nodes[i + 3]?.admin.cluster('REPLICATE', String(id));
  }
  await waitUntil(
    async () => {
      const states = await Promise.all(nodes.map((node) => node.admin.cluster('INFO')));
      const synced = await Promise.all(nodes.slice(3).map((node) => node.admin.info('replication')));
      return (
        states.every((info) => /cluster_state:ok/.test(info)) &&
        synced.every((info) => /master_link_status:up/.test(info))
      );
    },
    { what: 'a cluster that works' },
  );
  return {
    nodes,
    url: `redis+cluster://${nodes
      .slice(0, 3)
      .map(({ port }) => `127.0.0.1:${port}`)
      .join(',')}`,
  };
}

/** A swarm on these servers, as the supports of fleets take it. It has no kill and no start: the test owns the servers. */
export async function openSwarm(url: string, folder: string): Promise<TestRedis & { close(): Promise<void> }> {
  const swarm = `t${randomBytes(5).toString('hex')}`;
  const redis = await connectRedis(url.startsWith('redis+cluster') ? `${url}#${swarm}` : url, {
    role: 'worker',
    name: 'test-admin',
  });
  const undo: (() => unknown)[] = [];
  const refuse = (): never => {
    throw new TypeError('the test owns the servers');
  };
  const open: TestRedis & { close(): Promise<void> } = {
    url,
    port: 0,
    pid: 0,
    folder,
    redis,
    swarm,
    keys: createKeys(swarm),
    db: createDb(redis, swarm),
    connect: refuse,
    connectDb: refuse,
    kill: refuse,
    start: refuse,
    cleanup: (step) => void undo.push(step),
    async close() {
      for (const step of undo.toReversed()) await step();
      redis.disconnect();
    },
  };
  return open;
}
