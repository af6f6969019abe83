import { loadConfig } from '../config.ts';
import { FleetError, UsageError, toMessage } from '../errors.ts';
import { configSecrets, createRedactor } from '../redact.ts';
import { toRedisError } from '../redis/connect.ts';

/** Prints what went wrong, in one line where it is one of the fleet's own errors. @returns the exit code, 1 or 2 */
export function reportFailure(thrown: unknown): 1 | 2 {
  const { url, secrets } = readConfiguration();
  const error = url === null ? thrown : toRedisError(thrown, url);
  const expected = error instanceof FleetError;
  const text = expected || !(error instanceof Error) ? toMessage(error) : (error.stack ?? error.message);
  console.error(createRedactor(secrets)(`Error: ${text}`));
  return error instanceof UsageError ? 2 : 1;
}

/** The configuration may be what is wrong. */
function readConfiguration(): { url: string | null; secrets: string[] } {
  try {
    const config = loadConfig(process.env);
    return { url: config.REDIS_URL, secrets: configSecrets(config) };
  } catch {
    return { url: null, secrets: [] };
  }
}
