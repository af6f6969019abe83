import { statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { connectRedis } from '../../../src/redis/connect.ts';
import { startEmbeddedRedis } from '../../../src/redis/server/embedded.ts';
import { findRedisServer, installLine } from '../../../src/redis/server/binary.ts';
import { isAlive } from '../../support/wait.ts';
import { makeFolder } from '../../support/folder.ts';

let folder = '';
beforeEach(() => {
  folder = makeFolder();
});

describe('the embedded Redis', () => {
  it('keeps its data over a restart, in a folder only its owner can read', async () => {
    const data = join(folder, 'data');
    const first = await startEmbeddedRedis({ folder: data });
    const redis = await connectRedis(first.url, { role: 'producer' });
    await redis.set('kept', 'yes');
    redis.disconnect();
    await first.stop();
    const second = await startEmbeddedRedis({ folder: data, port: first.port });
    const again = await connectRedis(second.url, { role: 'producer' });
    expect(await again.get('kept')).toBe('yes');
    expect(await again.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    again.disconnect();
    await second.stop();
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(await isAlive(second.pid)).toBe(false);
  });

  it('says so when its port is taken', async () => {
    const first = await startEmbeddedRedis({ folder: join(folder, 'a'), endWithParent: true });
    await expect(startEmbeddedRedis({ folder: join(folder, 'b'), port: first.port })).rejects.toThrow(
      /port \d+ .* is taken/,
    );
    await first.stop();
    await first.stop();
  });

  it('finds ports for several that start at once', async () => {
    const servers = await Promise.all(
      [1, 2, 3, 4].map((n) => startEmbeddedRedis({ folder: join(folder, String(n)), appendOnly: false })),
    );
    expect(new Set(servers.map((server) => server.port)).size).toBe(4);
    await Promise.all(servers.map((server) => server.stop()));
  });
});

describe('the search for a redis-server', () => {
  it('finds one on this machine and none in an empty path', () => {
    expect(findRedisServer()).toMatchObject({ argv0: expect.stringMatching(/-server$/) });
    expect(findRedisServer('')).toBeNull();
  });

  it('names the package that brings no service', () => {
    expect(installLine('linux')).toBe('apt-get install -y redis-tools');
    expect(installLine('darwin')).toBe('brew install redis');
  });
});
