import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { removeClient } from '../../../src/clients/clients.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { callTool } from '../../support/mcp/call-tool.ts';
import { addToken } from '../../support/mcp/http-client.ts';
import { openStdioClient, stdioEnvironment } from '../../support/mcp/stdio-client.ts';
import { fleetEntry } from '../../support/process/fleet-command.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const dyingClient = fileURLToPath(new URL('../../support/mcp/dying-client.mjs', import.meta.url));
/** The long form has 500. */
const COUNT = Number(process.env['FLEET_TEST_MCP_TASKS'] ?? 60);

it('loses nothing of a client that kills itself between delegate and result', async () => {
  await useSimulatedFleet(redis, { slots: 20, simulator: { latencyMs: 1 } });
  const dying = spawn(process.execPath, [dyingClient, fleetEntry, String(COUNT), 'survivor'], {
    env: stdioEnvironment(redis),
    stdio: 'ignore',
  });
  expect((await once(dying, 'close'))[1]).toBe('SIGKILL');

  const { client, errors, strange } = await openStdioClient(redis);
  for (let next: unknown = 'wait'; next === 'wait';) {
    const waited = await callTool(client, 'wait', { batch: 'survivor' });
    ({ next } = waited.fields);
    if (next === 'result') expect(waited.fields).toMatchObject({ total: COUNT, done: COUNT, ended: `1-${COUNT}` });
  }
  const lines: string[] = [];
  for (let from: unknown = 1; from !== undefined;) {
    const page = await callTool(client, 'result', { batch: 'survivor', from });
    expect(page.tokens).toBeLessThanOrEqual(8_000);
    lines.push(...String(page.fields['material']).split('\n').slice(1, -1));
    from = page.fields['next_from'];
  }
  expect(lines).toHaveLength(COUNT);
  expect(new Set(lines.map((line) => / finding_\w+/.exec(line)?.[0])).size).toBe(COUNT);
  for (const id of ['survivor-1', `survivor-${COUNT}`]) {
    expect((await callTool(client, 'result', { id })).fields).toMatchObject({ page: 1, pages: 1 });
  }
  expect(strange).toEqual([]);
  expect(errors()).toBe('');
});

it('ends when its client closes the input, and leaves no process', async () => {
  const { client, pid } = await openStdioClient(redis);
  await callTool(client, 'status');
  await client.close();
  await waitUntil(() => !isAlive(pid));
});

it('ends where the input is a file or nothing, and after a message that is too long', async () => {
  for (const input of ['ignore', 'pipe'] as const) {
    const child = spawn(process.execPath, [fleetEntry, 'mcp'], {
      env: stdioEnvironment(redis),
      stdio: [input, 'ignore', 'pipe'],
    });
    const ended = once(child, 'exit');
    let errors = '';
    child.stderr?.on('data', (chunk) => (errors += String(chunk)));
    child.stdin?.on('error', () => undefined).write('x'.repeat(11 << 20)); // and stays open
    expect(await ended, input).toEqual([0, null]);
    expect(errors, input).toMatch(input === 'pipe' ? /exceeded maximum size/ : /^$/);
  }
});

it('writes nothing but the protocol to the standard output, also while Redis is away', async () => {
  const { client, strange } = await openStdioClient(redis, { REDIS_URL: 'redis://127.0.0.1:1', FLEET_BUDGET: '1' });
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toContain('delegate');
  const answer = await callTool(client, 'status');
  expect(answer.isError).toBe(true);
  expect(answer.text).toMatch(/Redis is not reachable at 127\.0\.0\.1:1/);
  expect(strange).toEqual([]);
});

it('acts as the client of FLEET_TOKEN, as long as it has the token', async () => {
  const fleet = await useFleet(redis);
  const token = await addToken(fleet.inner.db, 'reader', 'read');
  const { client } = await openStdioClient(redis, { FLEET_TOKEN: token });
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).sort()).toEqual(['failed', 'result', 'search_findings', 'status', 'wait']);
  expect((await callTool(client, 'status')).isError).toBe(false);
  await removeClient(fleet.inner.db, 'reader');
  expect(await callTool(client, 'status')).toMatchObject({
    isError: true,
    text: expect.stringMatching(/FLEET_TOKEN: token: no client/),
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
