import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { defineScripts, type ScriptName } from '../../../src/redis/scripts.ts';
import type { TestRedis } from './use-redis.ts';

/**
 * `request`: the script and everything after it do not reach Redis. `answer`: Redis runs the script, and the caller gets no
 * answer. `break`: Redis runs the script, and the connection breaks instead of the answer; the caller may connect again.
 */
export type TrapKind = 'request' | 'answer' | 'break';

export interface RedisProxy {
  url: string;
  hasSprung(): boolean;
  /** The trigger, for messages. */
  what: string;
}

/**
 * A proxy between one process and Redis. It stops the process at one line: before or after the n-th run of a script. So a
 * test reaches that line without a hook in the product.
 */
export async function startRedisProxy(
  redis: TestRedis,
  trap: { kind: TrapKind; script: ScriptName; nth?: number; what?: string },
): Promise<RedisProxy> {
  const marks = await toMarks(redis, trap.script);
  const sockets = new Set<Socket>();
  let left = trap.nth ?? 1;
  let sprung = false;

  const server = createServer((client) => {
    const upstream = connect(redis.port, '127.0.0.1');
    let held: TrapKind | null = null;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    client.on('close', () => held !== 'break' && upstream.destroy());
    upstream.on('close', () => client.destroy());
    upstream.on('data', (chunk) => {
      if (held === 'break') upstream.destroy(); // Redis has run the script
      else if (held !== 'answer') client.write(chunk);
    });
    client.on('data', (chunk) => {
      if (held !== null) return;
      if (left > 0 && marks.some((mark) => chunk.includes(mark))) {
        left -= 1;
        if (left === 0) held = trap.kind;
      }
      if (held !== 'request') upstream.write(chunk);
      if (held === 'break') client.destroy();
      if (held !== null) sprung = true;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  redis.cleanup(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hasSprung: () => sprung,
    what: trap.what ?? `${trap.kind} of ${trap.script}`,
  };
}

/** The bytes that identify a run of the script: its text at the first time on a connection, then its hash. */
async function toMarks(redis: TestRedis, script: ScriptName): Promise<string[]> {
  const probe = await redis.connect();
  defineScripts(probe);
  const scripts = Reflect.get(probe, 'scriptsSet') as Record<string, { sha: string } | undefined>;
  const hashes = [scripts[`fleet:${script}`]?.sha ?? ''];
  return [`-- ${script}: `, ...hashes].filter((mark) => mark !== '');
}
