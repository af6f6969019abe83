import type { Command } from 'ioredis';

/** Redis does not tell which key holds the wrong type. Of a script's keys, only a look at them tells it. */
export function nameWrongKey(error: Error, { name, args }: Pick<Command, 'name' | 'args'>): void {
  if (!error.message.startsWith('WRONGTYPE') || error.message.endsWith(CURE)) return;
  const key = /^(?:eval|fcall|fleet:)/i.test(name) ? 'a key' : String(args[0]);
  error.message += `: ${key}${CURE}`;
}

const CURE = ' is damaged; fleet status names it, and the command that mends it';
