import { loadConfig } from '../../config/environment.ts';
import { FleetError, HaltError, NotFoundError, UsageError, toMessage } from '../../errors.ts';
import { configSecrets, createRedactor } from '../../config/redact.ts';
import { toRedisError } from '../../redis/connect.ts';
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
  const said = unexpected && wantsStack ? (error.stack ?? error.message) : toMessage(error);
  const text = error instanceof HaltError ? toHalted(said) : said;
  console.error(createRedactor(secrets)(`Error: ${text}`));
  if (error instanceof NotFoundError) return EXIT.failed;
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof HaltError ? EXIT.halted : EXIT.failed;
}

/** A worker says only why; a person is told what it means, and what to do. */
function toHalted(said: string): string {
  const text = said.startsWith('the fleet is halted') ? said : `the fleet is halted (${said})`;
  return `${text}\nfleet status shows the ways out`;
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
