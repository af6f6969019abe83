import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { createRedactor } from '../config/redact.ts';

export type Logger = PinoLogger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LoggerOptions {
  /** Values that never leave the process; see `configSecrets`. */
  secrets?: readonly string[];
  /** Where lines go; default: standard output, one JSON object a line. */
  write?: (line: string) => void;
}

/**
 * One JSON object a line: `level`, `time` (UTC), `name`, the fields, `msg`. Prompts and payloads are not logged at info by
 * anyone; keys are taken out of the finished line, whatever field or error text they came in.
 */
export function createLogger(name: string, level: LogLevel, options: LoggerOptions = {}): Logger {
  const redact = createRedactor(options.secrets ?? []);
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const destination: DestinationStream = { write: (line) => write(redact(line)) };
  return pino(
    {
      name,
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: toLoggedError },
      redact: { paths: ['authorization', 'apiKey', 'password', '*.authorization', '*.apiKey', '*.password'] },
    },
    destination,
  );
}

/** What may be said of an error. Its other fields may hold what it was about: a Redis error holds the command with all its arguments. */
function toLoggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { type: error.name, message: error.message, ...code, stack: error.stack };
}
