import { setFlagsFromString } from 'node:v8';
import { loadConfig, type Config } from '../config/environment.ts';
import { ConfigError, RedisUnusableError, toMessage } from '../errors.ts';
import { EXIT_CONFIG } from './exit-config.ts';
import { startLoopWatchdog } from './loop-watchdog.ts';
import { createLogger, type Logger } from './logger.ts';
import { forgetSecrets, hideOwnEnvironment } from '../config/own-environment.ts';
import { configSecrets } from '../config/redact.ts';

/**
 * Runs a long-lived process: reads the configuration and keeps it out of the environment, calls `start`, reports to pm2 that the process is ready, and ends the
 * process if it hangs. After a wrong configuration it prints the problem and exits 78, after any other error 1.
 */
export async function startProcess(name: string, start: (config: Config, log: Logger) => Promise<void>): Promise<void> {
  // These processes wait for providers far more than they compute, so that a small heap does not slow them down.
  setFlagsFromString('--optimize-for-size');
  try {
    const isHidden = hideOwnEnvironment();
    const config = loadConfig(process.env);
    forgetSecrets();
    const log = createLogger(name, config.FLEET_LOG_LEVEL, { secrets: configSecrets(config) });
    process.on('unhandledRejection', (error) => {
      log.fatal({ error }, 'unhandled rejection');
      process.exit(1);
    });
    if (!isHidden && config.FLEET_RUN_ALLOW.length > 0) {
      log.warn(
        'programs of the tool `run` can read the variables that this process was started with; keep keys in .env',
      );
    }
    startLoopWatchdog(name);
    await start(config, log);
    process.send?.('ready'); // answers pm2 `wait_ready`
  } catch (error) {
    const expected = error instanceof ConfigError || error instanceof RedisUnusableError;
    const text = expected ? error.message : error instanceof Error ? (error.stack ?? error.message) : toMessage(error);
    process.stderr.write(`${name}: ${text}\n`);
    process.exit(expected ? EXIT_CONFIG : 1);
  }
}
