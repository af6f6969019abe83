import { toSince } from '../../src/cli/input/since.ts';
import { UsageError } from '../../src/errors.ts';

/**
 * Parses the field `since` of an address or a body, as commands parse `--since`.
 * @param now ms since 1970, by Redis' clock
 * @returns ms since 1970
 * @throws UsageError that names the field, where a command names its option
 */
export function parseSinceField(text: string, now: number): number {
  try {
    return toSince(text.trim(), now);
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message.replace(/^--/, '')) : error;
  }
}
