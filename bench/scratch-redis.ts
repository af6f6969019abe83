import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Config } from '../src/config/environment.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { startEmbeddedRedis } from '../src/redis/server/embedded.ts';

export interface ScratchRedis {
  url: string;
  pid: number;
  /** A home and data folder for processes, removed at the end. */
  folder: string;
  config(settings?: Record<string, string>): Config;
  /** The environment of a built process, with these variables besides. */
  env(settings: Record<string, string>): Record<string, string | undefined>;
  /** Deletes all keys, so that no round is slowed down by the data of another. */
  empty(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a redis-server for one benchmark, without append-only file, so that the disk is not measured. */
export async function startScratchRedis(): Promise<ScratchRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-bench-'));
  const server = await startEmbeddedRedis({ folder, appendOnly: false, endWithParent: true });
  return {
    url: server.url,
    pid: server.pid,
    folder,
    env: (settings) => ({
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      FLEET_HOME: folder,
      FLEET_DATA: folder,
      REDIS_URL: server.url,
      FLEET_OFFLINE: '1',
      FLEET_BUDGET_USD: '100000',
      FLEET_LOG_LEVEL: 'fatal',
      ...settings,
    }),
    config: (settings = {}) =>
      loadConfig({
        FLEET_HOME: folder,
        FLEET_DATA: folder,
        REDIS_URL: server.url,
        FLEET_OFFLINE: '1',
        FLEET_BUDGET_USD: '100000',
        FLEET_LOG_LEVEL: 'warn',
        ...settings,
      }),
    async empty() {
      const redis = await connectRedis(server.url, { role: 'producer' });
      await redis.flushall();
      redis.disconnect();
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
