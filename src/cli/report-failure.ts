import { loadConfig } from '../config.ts';
import { FleetError, HaltError, NotFoundError, UsageError, toMessage } from '../errors.ts';
import { configSecrets, createRedactor } from '../redact.ts';
import { toRedisError } from '../redis/connect.ts';
import { EXIT } from './exit-codes.ts';

/**
 * Prints what went wrong, in one line; the stack of an unexpected error only with FLEET_LOG_LEVEL=debug.
 * @returns the exit code
 */
export function reportFailure(thrown: unknown): number {
  const { url, isOwn, secrets } = readConfiguration();
  const error = url === null ? thrown : toRedisError(thrown, url, isOwn);
  const wantsStack = ['debug', 'trace'].includes(process.env.FLEET_LOG_LEVEL ?? '');
  const unexpected = error instanceof Error && !(error instanceof FleetError);
  const text = unexpected && wantsStack ? (error.stack ?? error.message) : toMessage(error);
  console.error(createRedactor(secrets)(`Error: ${text}`));
  if (error instanceof NotFoundError) return EXIT.failed;
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof HaltError ? EXIT.halted : EXIT.failed;
}

/** The configuration may be what is wrong. */
function readConfiguration(): { url: string | null; isOwn: boolean; secrets: string[] } {
  try {
    const config = loadConfig(process.env);
    return { url: config.REDIS_URL, isOwn: config.embedded !== null, secrets: configSecrets(config) };
  } catch {
    return { url: null, isOwn: false, secrets: [] };
  }
}
