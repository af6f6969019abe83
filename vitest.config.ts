import { defineConfig } from 'vitest/config';

/** Installs a missing redis-server where that harms nobody, or says how to. */
const needsRedis = { globalSetup: ['test/support/global-setup.ts'] };

/** Two cores: files run two at a time; every integration file has a Redis of its own. */
const shared = { environment: 'node', restoreMocks: true } as const;

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 5_000 } },
      {
        test: {
          ...shared,
          ...needsRedis,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          ...shared,
          ...needsRedis,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...shared,
          ...needsRedis,
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
