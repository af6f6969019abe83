import { loadConfig, type Config } from '../config/environment.ts';
import { describeNotes } from '../config/source/notes.ts';
import { ConfigError, RedisUnusableError, toMessage } from '../errors.ts';
import { EXIT_CONFIG } from './exit-config.ts';
import { keepHeapSmall } from './heap-size.ts';
import { startLoopWatchdog } from './watchdog/loop-watchdog.ts';
import { createLogger, type Logger } from './logger.ts';
import { ownLogFiles, startLogRotation } from './logs/log-files.ts';
import { forgetSecrets, hideOwnEnvironment } from '../config/own-environment.ts';
import { configSecrets, createRedactor } from '../config/redact.ts';

/**
 * Runs a long-lived process: reads the configuration and keeps it out of the environment, calls `start`, reports to pm2 that the process is ready, and ends the
 * process if it hangs. After a wrong configuration it prints the problem and exits 78, after any other error 1.
 */
export async function startProcess(name: string, start: (config: Config, log: Logger) => Promise<void>): Promise<void> {
  // These processes wait for providers far more than they compute, so that a small heap does not slow them down.
  keepHeapSmall();
  let secrets: string[] = [];
  try {
    const isHidden = hideOwnEnvironment();
    const config = loadConfig(process.env);
    forgetSecrets();
    secrets = configSecrets(config);
    const log = createLogger(name, config.FLEET_LOG_LEVEL, { secrets, limitsRepeats: true });
    await startLogRotation(ownLogFiles(process.env), (error, file) =>
      log.warn({ error, file }, 'a log file was not put aside'),
    );
    for (const event of ['unhandledRejection', 'uncaughtException']) {
      process.on(event, (error: unknown) => {
        log.fatal({ error }, event === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception');
        process.exit(1);
      });
    }
    for (const line of describeNotes(config.notes)) log.warn(line);
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
    process.stderr.write(createRedactor(secrets)(`${name}: ${text}\n`));
    process.exit(expected ? EXIT_CONFIG : 1);
  }
}
