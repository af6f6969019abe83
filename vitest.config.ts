import { defineConfig } from 'vitest/config';

/** Installs redis-server if it is missing and this user may, else prints the command that installs it. */
const needsRedis = { globalSetup: ['test/support/global-setup.ts'] };

/**
 * Runs two files at a time, for two cores. Each integration file has its own Redis. The files that one process runs share what it has
 * loaded: to load BullMQ, the providers' packages and the fleet anew for each file took a quarter of all the time.
 */
const shared = { environment: 'node', restoreMocks: true, isolate: false } as const;

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
