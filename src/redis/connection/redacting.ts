import type { Command } from 'ioredis';
import { KEEP_ALL, type Redact } from '../../config/redact.ts';

/** A text that the connection sends as it is, for a script that compares it with a stored one. Never for what is to be stored. */
export function exactly(text: string): Buffer {
  return Buffer.from(text);
}

/** Commands whose arguments are meant to be secret. */
const OF_CONNECTION = new Set(['auth', 'hello', 'acl', 'config', 'migrate']);

/** Removes secrets from a command before it is sent. BullMQ packs some values in bytes, which it cannot change: `Db.redact` is for these. */
export function redactCommand(command: Command, redact: Redact): void {
  if (redact === KEEP_ALL || OF_CONNECTION.has(command.name.toLowerCase())) return;
  const { args } = command;
  for (let i = 0; i < args.length; i += 1) {
    const argument = args[i];
    if (typeof argument === 'string') args[i] = redact(argument);
  }
}
