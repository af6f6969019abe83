import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { createRedactor } from '../config/redact.ts';

export type Logger = PinoLogger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LoggerOptions {
  /** Values that never leave the process; see `configSecrets`. */
  secrets?: readonly string[];
  /** Writes one line. Default: to standard output. */
  write?: (line: string) => void;
}

/**
 * Logs one JSON object a line: `level`, `time` (UTC), `name`, the fields, `msg`. No prompt or payload is logged at info.
 * Secrets are removed from the finished line, so that it does not matter which field or error text held them.
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

/** The parts of an error that may be logged. Others may hold a payload: a Redis error holds the command with all arguments. */
function toLoggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { type: error.name, message: error.message, ...code, stack: error.stack };
}
