import type { Config } from '../../../src/config/environment.ts';
import { runCoordinator } from '../../../src/coordinator/run-coordinator.ts';
import type { OpenWorker } from '../../../src/jobs/worker/open-worker.ts';
import { createLogger } from '../../../src/process/logger.ts';
import type { Model } from '../../../src/models/model.ts';
import type { TestRedis } from '../redis/use-redis.ts';

/** A coordinator in this process, closed after the test. */
export async function startCoordinator(redis: TestRedis, config: Config, model: Model): Promise<OpenWorker> {
  const coordinator = await runCoordinator({ config, model, log: createLogger('test', config.FLEET_LOG_LEVEL) });
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= coordinator.close());
  redis.cleanup(close);
  return { ...coordinator, close };
}
