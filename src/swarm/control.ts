import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Keys } from '../redis/keys.ts';

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('halt'), reason: z.string(), detail: z.string() }),
  z.object({ type: z.literal('resume') }),
  z.object({ type: z.literal('rules') }), // a rule was added, changed or removed
  z.object({ type: z.literal('cancel'), jobId: z.string() }),
  z.object({ type: z.enum(['planned', 'asks']), mission: z.string(), detail: z.string() }),
]);
export type ControlMessage = z.output<typeof messageSchema>;

/**
 * Listens to the swarm's control channel. A message announces a state that Redis already holds and that every job checks
 * before its next call. It saves time, so a lost message costs seconds and changes no outcome.
 * @param subscriber a connection of its own: one that subscribes can send no other command
 */
export async function listenToControl(
  subscriber: Redis,
  keys: Keys,
  onMessage: (message: ControlMessage) => void,
): Promise<void> {
  subscriber.on('message', (_channel, text: string) => {
    const message = parseControlMessage(text);
    if (message !== null) onMessage(message);
  });
  await subscriber.subscribe(keys.control);
}

/** @returns null: a message of a newer version */
function parseControlMessage(text: string): ControlMessage | null {
  return messageSchema.safeParse(toJson(text)).data ?? null;
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
