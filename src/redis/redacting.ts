import { Redis, type Command, type RedisOptions } from 'ioredis';
import { KEEP_ALL, type Redact } from '../config/redact.ts';

/** A text that the connection sends as it is, for a script that compares it with a stored one. Never for what is to be stored. */
export function exactly(text: string): Buffer {
  return Buffer.from(text);
}

/** Commands whose arguments are meant to be secret. */
const OF_CONNECTION = new Set(['auth', 'hello', 'acl', 'config', 'migrate']);

/**
 * A connection that stores and publishes no secret: it removes them from each command, whatever code sends it. BullMQ packs some
 * values in bytes, which it cannot change: `Db.redact` is for these.
 */
export class RedactingRedis extends Redis {
  readonly redact: Redact;

  constructor(url: string, options: RedisOptions & { replyMapping?: never }, redact: Redact) {
    super(url, options);
    this.redact = redact;
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    if (this.redact !== KEEP_ALL && !OF_CONNECTION.has(command.name.toLowerCase())) {
      for (const [i, argument] of command.args.entries()) {
        if (typeof argument === 'string') command.args[i] = this.redact(argument);
      }
    }
    return super.sendCommand(command, stream);
  }
}
