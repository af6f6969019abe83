import type { Logger } from '../process/logger.ts';
import type { Actor } from '../../queues/owner.ts';

/** Who the audit says has changed something by a tool: the client of the token; without one the user of this process. */
export function toMcpActor(client: string | undefined, log: Logger): Partial<Actor> & Pick<Actor, 'from'> {
  return {
    from: 'mcp',
    ...(client === undefined ? {} : { who: client }),
    onLost: (problem, error) => log.warn({ error }, `mcp: ${problem}`),
  };
}
