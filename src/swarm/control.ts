import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Keys } from '../redis/keys.ts';

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('halt'), reason: z.string(), detail: z.string() }),
  z.object({ type: z.literal('resume') }),
  z.object({ type: z.literal('cancel'), jobId: z.string() }),
]);
export type ControlMessage = z.output<typeof messageSchema>;

/**
 * Listens to the fleet's control channel. Messages only hasten: every one announces a state that is already in Redis and
 * that each job checks before its next call, so a lost message costs seconds, not correctness.
 * @param subscriber a connection of its own; it does nothing else afterwards
 */
export async function listenToControl(
  subscriber: Redis,
  keys: Keys,
  onMessage: (message: ControlMessage) => void,
): Promise<void> {
  subscriber.on('message', (_channel, text: string) => {
    const parsed = messageSchema.safeParse(toJson(text));
    if (parsed.success) onMessage(parsed.data); // a newer version's message is none of ours
  });
  await subscriber.subscribe(keys.control);
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
