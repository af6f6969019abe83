import { toMessage } from '../../src/errors.ts';
import { ensureRedisServer } from '../../src/redis/server/install.ts';

/** Runs once before the tests that need a redis-server. Without one it ends the run with the line that installs it. */
export async function setup(): Promise<void> {
  try {
    await ensureRedisServer();
  } catch (error) {
    console.error(toMessage(error));
    process.exit(1);
  }
}
