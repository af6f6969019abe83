import type { Config } from '../../src/config/environment.ts';
import type { Logger } from '../../src/process/logger.ts';
import type { Actor } from '../../queues/owner.ts';
import { currentUser } from '../../src/swarm/current-user.ts';

/**
 * Who the audit says has changed something in a page: the login, of which only one may change anything; without a login the user of
 * the dashboard.
 */
export function toPageActor({ config, log }: { config: Config; log: Logger }): Actor {
  const { DASHBOARD_PASSWORD: password, DASHBOARD_USER: user } = config;
  return {
    who: password === undefined ? currentUser() : user,
    from: 'page',
    client: null,
    onLost: (problem, error) => log.warn({ error }, `dashboard: ${problem}`),
  };
}
