import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Config } from '../../../src/config/environment.ts';
import { openFleet, type OpenFleet } from '../../../src/api/open-fleet.ts';
import { runHaiku } from '../../../src/haiku/run-haiku.ts';
import type { OpenWorker } from '../../../src/jobs/worker/open-worker.ts';
import { createLogger } from '../../../src/process/logger.ts';
import type { Model } from '../../../src/models/model.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** A workspace folder with the given files; removed after the test. */
export function makeWorkspace(redis: TestRedis, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'fleet-test-site-'));
  redis.cleanup(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  return root;
}

/** The configuration of a swarm of the test's own; no `.env` of this machine is read. */
export function testConfig(redis: TestRedis, env: Record<string, string> = {}): Config {
  return loadConfig({
    FLEET_HOME: redis.folder,
    FLEET_DATA: redis.folder,
    REDIS_URL: redis.url,
    FLEET_SWARM: redis.swarm,
    FLEET_OFFLINE: '1',
    FLEET_LOG_LEVEL: 'silent',
    ...env,
  });
}

export async function openTestFleet(redis: TestRedis, config: Config): Promise<OpenFleet> {
  const fleet = await openFleet(config);
  redis.cleanup(() => fleet.close());
  return fleet;
}

/** A worker in this process, closed after the test. */
export async function startHaiku(redis: TestRedis, config: Config, model: Model): Promise<OpenWorker> {
  const haiku = await runHaiku({ config, model, log: createLogger('test', config.FLEET_LOG_LEVEL) });
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await haiku.close();
  };
  redis.cleanup(close);
  return { ...haiku, close };
}
