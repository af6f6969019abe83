import { loadConfig } from '../../config/environment.ts';
import { FleetError, HaltError, NotFoundError, UsageError, WaitTimeoutError, toMessage } from '../../errors.ts';
import { configSecrets, createRedactor } from '../../config/redact.ts';
import { toRedisError } from '../../redis/errors/redis-errors.ts';

/** Exit codes for scripts: 0 done, 1 failed, 2 wrong use, 3 halted, 4 the `--timeout` of a wait is over. */
export const EXIT = { failed: 1, usage: 2, halted: 3, timeout: 4 } as const;

/**
 * Prints an error in one line; for an unexpected error with FLEET_LOG_LEVEL=debug its stack.
 * @returns the exit code
 */
export function reportFailure(thrown: unknown): number {
  const { url, isOwn, secrets } = readConfiguration();
  const error = url === null ? thrown : toRedisError(thrown, url, isOwn);
  const wantsStack = ['debug', 'trace'].includes(process.env.FLEET_LOG_LEVEL ?? '');
  const unexpected = error instanceof Error && !(error instanceof FleetError);
  const message = unexpected && wantsStack ? (error.stack ?? error.message) : toMessage(error);
  const text = error instanceof HaltError ? describeHaltError(message) : message;
  console.error(createRedactor(secrets)(`Error: ${text}`));
  if (error instanceof WaitTimeoutError) return EXIT.timeout;
  if (error instanceof NotFoundError) return EXIT.failed;
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof HaltError ? EXIT.halted : EXIT.failed;
}

/** A worker's message has only the reason; a person also needs to know what it means and what to do. */
function describeHaltError(message: string): string {
  const text = message.startsWith('the fleet is halted') ? message : `the fleet is halted (${message})`;
  return `${text}\nfleet status shows the ways out`;
}

/** Reads what the message needs; a wrong configuration has none of it. */
function readConfiguration(): { url: string | null; isOwn: boolean; secrets: string[] } {
  try {
    const config = loadConfig(process.env);
    return { url: config.REDIS_URL, isOwn: config.embedded !== null, secrets: configSecrets(config) };
  } catch {
    return { url: null, isOwn: false, secrets: [] };
  }
}
