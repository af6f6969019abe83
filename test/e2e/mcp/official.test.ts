/**
 * The official conformance suite and the inspector's command line against `/mcp`. Both come from the registry, with the version of
 * Node that they need, into a folder that stays: FLEET_TEST_MCP_OFFICIAL=/tmp/official. Without it these tests are skipped.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { startDashboard } from '../../support/fleet/dashboard.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { addToken } from '../../support/mcp/http-client.ts';
import { startTokenProxy } from '../../support/mcp/token-proxy.ts';
import { stdioEnvironment } from '../../support/mcp/stdio-client.ts';
import { fleetEntry } from '../../support/process/fleet-command.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const run = promisify(execFile);
const redis = useRedis();
const folder = process.env['FLEET_TEST_MCP_OFFICIAL'];
const expected = fileURLToPath(new URL('expected-failures.yml', import.meta.url));
const PACKAGES = ['@modelcontextprotocol/conformance@0.1.16', '@modelcontextprotocol/inspector@1.0.3', 'node@22'];

/** Runs a program of the folder by its own Node. */
async function runOfficial(path: string, args: string[], env: NodeJS.ProcessEnv = process.env) {
  const node = join(folder ?? '', 'node_modules/node/bin/node');
  const entry = join(folder ?? '', 'node_modules/@modelcontextprotocol', path);
  return run(node, [entry, ...args], { env, maxBuffer: 64 * 1024 * 1024 });
}

describe.skipIf(folder === undefined)('the official programs', () => {
  beforeAll(async () => {
    const install = ['install', '--no-audit', '--no-fund', '--prefix', folder ?? '', ...PACKAGES];
    await run('npm', install, { maxBuffer: 16 * 1024 * 1024 });
  }, 300_000);

  it('the conformance suite finds nothing that is not expected', async () => {
    await useSimulatedFleet(redis);
    const { port, db } = await startDashboard(redis, { FLEET_OFFLINE: '1' });
    const url = await startTokenProxy(redis, port, await addToken(db, 'suite', 'operate'));
    const args = ['server', '--url', `${url}/mcp`, '--expected-failures', expected];
    const { stdout } = await runOfficial('conformance/dist/index.js', args).catch((error: { stdout: string }) =>
      expect.fail(error.stdout),
    );
    expect(stdout).toMatch(/✓ server-initialize/);
  });

  it('the inspector lists and calls tools, over both transports', async () => {
    await useSimulatedFleet(redis);
    const cli = 'inspector/cli/build/cli.js';
    const stdio = ['--cli', process.execPath, fleetEntry, 'mcp'];
    const listed = await runOfficial(cli, [...stdio, '--method', 'tools/list'], stdioEnvironment(redis));
    expect(JSON.parse(listed.stdout).tools).toHaveLength(14);
    const { base, db } = await startDashboard(redis, { FLEET_OFFLINE: '1' });
    const token = await addToken(db, 'inspector', 'delegate');
    const http = ['--cli', `${base}/mcp`, '--transport', 'http', '--header', `Authorization: Bearer ${token}`];
    const called = await runOfficial(cli, [...http, '--method', 'tools/call', '--tool-name', 'status']);
    expect(JSON.parse(called.stdout).structuredContent).toMatchObject({ halted: false });
  });
});
