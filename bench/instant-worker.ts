/** Process entry of the throughput benchmark: a Haiku worker with an instant model. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../src/config/environment.ts';
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { createLogger } from '../src/process/logger.ts';
import { createInstantModel } from './instant-model.ts';

const home = mkdtempSync(join(tmpdir(), 'fleet-bench-home-'));
const config = loadConfig({
  FLEET_HOME: home,
  FLEET_DATA: home,
  REDIS_URL: process.env['BENCH_REDIS_URL'] ?? '',
  FLEET_SWARM: process.env['FLEET_SWARM'] ?? '',
  FLEET_HAIKU_CONCURRENCY: process.env['FLEET_HAIKU_CONCURRENCY'] ?? '100',
  FLEET_OFFLINE: '1',
  FLEET_BUDGET_USD: '100000',
});
const haiku = await runHaiku({ config, model: createInstantModel(), log: createLogger('bench', 'error') });
process.once('SIGTERM', () => {
  void haiku.close().then(() => {
    rmSync(home, { recursive: true, force: true });
    process.exit(0);
  });
});
process.send?.('ready');
