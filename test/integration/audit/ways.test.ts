import type { Express } from 'express';
import { expect, test } from 'vitest';
import { buildApp } from '../../../dashboards/app.ts';
import { createTurns } from '../../../dashboards/patches/turns.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { ADDRESSES, FUNCTIONS } from '../../support/audit/ways.ts';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { openFleet } from '../../../src/api/open-fleet.ts';
import { testConfig } from '../../support/fleet/test-config.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

test('every function of a connected fleet says what of it is in the audit, or why nothing is', async () => {
  const { inner, ...fleet } = await openFleet(testConfig(redis));
  redis.cleanup(() => fleet.close());
  expect(inner.db.actor).toMatchObject({ from: 'script' });
  const names = Object.entries(fleet).flatMap(([name, part]: [string, unknown]) =>
    typeof part === 'function' ? [name] : Object.keys(part as object).map((verb) => `${name}.${verb}`),
  );
  expect(names.toSorted()).toEqual(Object.keys(FUNCTIONS).toSorted());
});

interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
}

/** The addresses of a router, and of those that are mounted in it, that take more than questions. */
function changesOf(stack: readonly Layer[]): string[] {
  return stack.flatMap(({ route, handle }) => {
    if (route === undefined) return handle.stack === undefined ? [] : changesOf(handle.stack);
    const changes = Object.keys(route.methods).some((method) => !['get', 'head', '_all'].includes(method));
    return changes ? [route.path].flat() : [];
  });
}

test('every address of the pages that changes something says so', async () => {
  const { config, db, queues, others, mcp } = await startDashboard(redis, { DASHBOARD_PASSWORD: 'a long sentence' });
  const log = createLogger('dashboard', 'silent');
  const app: Express = buildApp({ config, db, queues, others, log, mcp, changes: createTurns() });
  const { stack } = app.router as unknown as { stack: Layer[] };
  const found = changesOf(stack).filter((path) => !path.startsWith('/api/queues')); // Bull Board's
  expect([...new Set(found)].toSorted()).toEqual(Object.keys(ADDRESSES).toSorted());
});
