import type { Command, Redis } from 'ioredis';

/** How often a connection is looked at. */
const LOOK_EVERY_MS = 500;
/** A server that accepts a connection and does not answer its first commands is left after this long. */
const HANDSHAKE_MS = 3_000;

/**
 * Ends a connection that is dead though its socket is open: the network drops its packets, or the server is frozen. ioredis
 * then connects anew and sends again what was not answered. A command that blocks on purpose gets its own time on top.
 *
 * It counts looks, not time: a process that was itself frozen, and finds its answers when it wakes, ends no connection.
 * @param silenceMs after this long without an answer that is due, the connection counts as dead
 */
export function watchLiveness(redis: Redis, silenceMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  let bytes = 0;
  let idleMs = 0;
  let due: Command | undefined;
  let dueMs = 0;

  function look(): void {
    const { stream } = redis;
    const first = redis.commandQueue.peekFront()?.command as Command | undefined;
    const heard = stream.bytesRead !== bytes;
    bytes = stream.bytesRead;
    idleMs = heard ? 0 : idleMs + LOOK_EVERY_MS;
    dueMs = heard || first !== due ? 0 : dueMs + LOOK_EVERY_MS;
    due = first;
    if (first === undefined) {
      // A connection that only listens would never notice.
      if (idleMs >= silenceMs / 2 && redis.status === 'ready') redis.ping().catch(() => undefined);
      return;
    }
    if (dueMs <= patienceMs(first)) return;
    stop();
    stream.destroy(new Error(`no answer for ${Math.round(dueMs / 1_000)} s`));
  }

  function patienceMs(command: Command): number {
    if (redis.status !== 'ready') return Math.min(HANDSHAKE_MS, silenceMs);
    return silenceMs + (command.extractBlockingTimeout() ?? 0);
  }

  function start(): void {
    stop();
    bytes = 0;
    idleMs = 0;
    due = undefined;
    timer = setInterval(look, LOOK_EVERY_MS).unref();
  }

  function stop(): void {
    clearInterval(timer);
  }

  redis.on('connect', start);
  redis.on('close', stop);
}
