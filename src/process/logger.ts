import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { createRedactor } from '../config/redact.ts';
import { createRepeatLimit } from './logs/repeat-limit.ts';

export type Logger = PinoLogger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface LoggerOptions {
  /** Values that never leave the process; see `configSecrets`. */
  secrets?: readonly string[];
  /** Writes one line. Default: to standard output. */
  write?: (line: string) => void;
  /**
   * True: of lines that repeat, most are left out and counted (`logs/repeat-limit.ts`), for a process that runs until it is
   * ended. Default false.
   */
  limitsRepeats?: boolean;
}

/** Levels at which lines repeat. A person who asks for more detail wants all of it, and a process writes one fatal line. */
const LIMITED: ReadonlySet<string> = new Set(['info', 'warn', 'error']);
const FLUSH_EVERY_MS = 15_000;

/**
 * Logs one JSON object a line: `level`, `time` (UTC), `name`, the fields, `msg`. No prompt or payload is logged at info.
 * Secrets are removed from the finished line, so that it does not matter which field or error text held them.
 */
export function createLogger(name: string, level: LogLevel, options: LoggerOptions = {}): Logger {
  const redact = createRedactor(options.secrets ?? []);
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const destination: DestinationStream = { write: (line) => write(redact(line)) };
  const settings = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: toLoggedError },
    redact: { paths: ['authorization', 'apiKey', 'password', '*.authorization', '*.apiKey', '*.password'] },
  };
  if (options.limitsRepeats !== true) return pino(settings, destination);
  const unlimited = pino(settings, destination);
  const limit = createRepeatLimit((label, text, more) => {
    unlimited[label as 'info']({ more }, `… and ${more} more like this: ${text}`);
  });
  setInterval(() => limit.flush(false), FLUSH_EVERY_MS).unref();
  process.once('exit', () => limit.flush(true));
  return pino(
    {
      ...settings,
      hooks: {
        logMethod(args, method, number) {
          const label = pino.levels.labels[number] ?? '';
          const more = LIMITED.has(label) ? limit.take(label, toText(args)) : 0;
          if (more === null) return;
          method.apply(this, args);
          if (more > 0) unlimited[label as 'info']({ more }, `… and ${more} more like this: ${toText(args)}`);
        },
      },
    },
    destination,
  );
}

/** By what lines are alike: their text, and the word of the reason, by which failures are grouped. */
function toText([first, second]: readonly unknown[]): string {
  if (typeof first === 'string') return first;
  const { reason } = (first ?? {}) as { reason?: unknown };
  const word = typeof reason === 'string' ? ` (${reason.split(/[:\s]/, 1)[0] ?? ''})` : '';
  return `${typeof second === 'string' ? second : ''}${word}`;
}

/** The parts of an error that may be logged. Others may hold a payload: a Redis error holds the command with all arguments. */
function toLoggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { type: error.name, message: error.message, ...code, stack: error.stack };
}
