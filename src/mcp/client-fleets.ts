import { openFleet, type OpenFleet } from '../api/open-fleet.ts';
import type { Config } from '../config/environment.ts';
import type { Logger } from '../process/logger.ts';
import { toMcpActor } from './mcp-actor.ts';

/** An idle client's connection is closed after so long. */
const IDLE_MS = 5 * 60_000;

interface Entry {
  fleet: Promise<OpenFleet>;
  /** Requests under way. */
  uses: number;
  idle: NodeJS.Timeout | null;
}

/** One connection for each client that is active; it stamps what the client adds. */
export interface ClientFleets {
  /** Runs work on the client's connection. @throws RedisUnusableError */
  use<T>(client: string, work: (fleet: OpenFleet) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param options.idleMs default five minutes */
export function createClientFleets(
  config: Config,
  { log, idleMs = IDLE_MS }: { log: Logger; idleMs?: number },
): ClientFleets {
  const entries = new Map<string, Entry>();
  const open = (client: string): Promise<OpenFleet> => openFleet(config, { client, actor: toMcpActor(client, log) });

  function drop(client: string, entry: Entry): Promise<void> {
    if (entries.get(client) === entry) entries.delete(client);
    if (entry.idle !== null) clearTimeout(entry.idle);
    return entry.fleet.then(
      (fleet) => fleet.close(),
      () => undefined,
    );
  }

  return {
    async use(client, work) {
      const entry = entries.get(client) ?? { fleet: open(client), uses: 0, idle: null };
      entries.set(client, entry);
      entry.uses += 1;
      if (entry.idle !== null) clearTimeout(entry.idle);
      try {
        return await work(await entry.fleet);
      } finally {
        entry.uses -= 1;
        if (entry.uses === 0) {
          const isOpen = await entry.fleet.then(
            () => true,
            () => false,
          );
          if (!isOpen) await drop(client, entry);
          else if (entry.uses === 0) entry.idle = setTimeout(() => void drop(client, entry), idleMs).unref();
        }
      }
    },
    async close() {
      await Promise.all([...entries].map(([client, entry]) => drop(client, entry)));
    },
  };
}
