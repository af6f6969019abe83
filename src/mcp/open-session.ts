import { openFleet, type OpenFleet } from '../api/open-fleet.ts';
import { checkToken } from '../clients/clients.ts';
import { parseToken } from '../clients/token.ts';
import type { Config } from '../config/environment.ts';
import { UsageError } from '../errors.ts';
import type { Logger } from '../process/logger.ts';
import { toMcpActor } from './mcp-actor.ts';
import type { McpSession } from './tool/types.ts';

export interface SessionOpener {
  /** Connects at the first call, and again after a call that could not. @throws RedisUnusableError; UsageError for a token that is refused */
  open(): Promise<McpSession>;
  close(): Promise<void>;
}

/** Opens the session of a person who runs `fleet mcp`; with FLEET_TOKEN that of its client, whose token is checked at each call. */
export function createSessionOpener(config: Config, log: Logger): SessionOpener {
  const { FLEET_TOKEN: token } = config;
  let opened: Promise<OpenFleet> | null = null;

  function connect(): Promise<OpenFleet> {
    const client = token === undefined ? undefined : parseToken(token)?.name;
    const current = (opened ??= openFleet(config, { client, actor: toMcpActor(client, log) }));
    current.catch(() => (opened = opened === current ? null : opened));
    return current;
  }

  return {
    async open() {
      const fleet = await connect();
      if (token === undefined) return { fleet, role: 'operate', client: null };
      const { client, problem } = await checkToken(fleet.inner.db, token);
      if (client === null) throw new UsageError(`FLEET_TOKEN: ${problem}`);
      return { fleet, role: client.role, client: client.name };
    },
    async close() {
      await opened?.then((fleet) => fleet.close()).catch(() => undefined);
    },
  };
}
