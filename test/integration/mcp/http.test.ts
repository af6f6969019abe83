import { expect, it } from 'vitest';
import { removeClient } from '../../../src/clients/clients.ts';
import { readBudget } from '../../../src/ledger/budget.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { callTool } from '../../support/mcp/call-tool.ts';
import { addToken, openHttpClient } from '../../support/mcp/http-client.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const env = { FLEET_OFFLINE: '1' };
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const accept = { accept: 'application/json, text/event-stream' };

it('refuses a request without a client’s token, whatever else it has', async () => {
  const { send, ask, db } = await startDashboard(redis, { ...env, DASHBOARD_PASSWORD: TEST_PASSWORD });
  const basic = `Basic ${Buffer.from(`fleet:${TEST_PASSWORD}`).toString('base64')}`;
  const none = await send('POST', '/mcp', list, { ...accept, authorization: basic });
  expect(none.status).toBe(401);
  expect(none.headers.get('www-authenticate')).toBe('Bearer realm="haiku-fleet"');
  const token = await addToken(db, 'one', 'read');
  const wrong = await send('POST', '/mcp', list, { ...accept, authorization: `Bearer ${token.slice(0, -2)}00` });
  expect(wrong.status).toBe(401);
  expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
  const right = { ...accept, authorization: `Bearer ${token}` };
  expect((await send('POST', '/mcp', list, right)).status).toBe(200);
  expect((await ask('/mcp', { headers: right })).status).toBe(405);
  expect((await ask('/api/status', { headers: right })).status).toBe(401); // the token opens nothing else
  await removeClient(db, 'one');
  expect((await send('POST', '/mcp', list, right)).status).toBe(401);
});

it('keeps the dashboard’s checks: origin, host, type and size', async () => {
  const { send, ask, db } = await startDashboard(redis, env);
  const right = { ...accept, authorization: `Bearer ${await addToken(db, 'one', 'read')}` };
  expect((await send('POST', '/mcp', list, { ...right, origin: 'https://evil.example' })).status).toBe(403);
  expect((await send('POST', '/mcp', list, { ...right, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  const text = { method: 'POST', body: JSON.stringify(list), headers: { ...right, 'content-type': 'text/plain' } };
  expect((await ask('/mcp', text)).status).toBe(415);
  expect((await send('POST', '/mcp', { ...list, params: 'x'.repeat(1_200_000) }, right)).status).toBe(413);
  expect(
    (
      await send(
        'POST',
        '/mcp',
        Array.from({ length: 21 }, () => list),
        right,
      )
    ).status,
  ).toBe(400);
});

it('answers under the path of a proxy', async () => {
  const { send, db } = await startDashboard(redis, { ...env, DASHBOARD_PUBLIC_URL: 'https://fleet.example.org/fleet' });
  const right = { ...accept, authorization: `Bearer ${await addToken(db, 'one', 'read')}` };
  expect((await send('POST', '/fleet/mcp', list, right)).status).toBe(200);
});

it('slows down who guesses tokens, and nobody else', async () => {
  const { send, db } = await startDashboard(redis, env);
  const right = { ...accept, authorization: `Bearer ${await addToken(db, 'one', 'read')}` };
  const guess = () => send('POST', '/mcp', list, { ...accept, authorization: 'Bearer fleet_one_0' });
  const first = await Promise.all(Array.from({ length: 5 }, guess));
  expect(first.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  const seen: number[] = [];
  const more = Array.from({ length: 8 }, () =>
    guess().then(
      ({ status }) => void seen.push(status),
      () => undefined,
    ),
  );
  await waitUntil(() => seen.includes(429)); // the others wait for their turns
  expect((await send('POST', '/mcp', list, right)).status).toBe(200);
  expect(seen.length).toBeLessThan(more.length);
});

it('shows and runs only what the role allows', async () => {
  const { base, db } = await startDashboard(redis, env);
  const reader = await openHttpClient(redis, base, await addToken(db, 'reader', 'read'));
  const { tools } = await reader.listTools();
  expect(tools.map(({ annotations }) => annotations?.readOnlyHint)).not.toContain(false);
  const refused = await callTool(reader, 'delegate', { tasks: [{ description: 'x' }] });
  expect(refused).toMatchObject({ isError: true });
  expect((await callTool(reader, 'status')).isError).toBe(false);
  const worker = await openHttpClient(redis, base, await addToken(db, 'worker', 'delegate'));
  expect((await worker.listTools()).tools.map(({ name }) => name)).toContain('delegate');
});

it('reports progress of a wait', async () => {
  await useSimulatedFleet(redis);
  const { base, db } = await startDashboard(redis, env);
  const client = await openHttpClient(redis, base, await addToken(db, 'one', 'delegate'));
  await callTool(client, 'delegate', { tasks: [{ description: 'Say it [[turns:1]]' }], batch: 'seen' });
  const seen: number[] = [];
  await client.callTool({ name: 'wait', arguments: { batch: 'seen' } }, undefined, {
    onprogress: ({ progress }) => void seen.push(progress),
  });
  expect(seen.at(-1)).toBe(1);
});

it('holds a token’s budget under fifty delegates at once', async () => {
  await useSimulatedFleet(redis, { slots: 20, simulator: { latencyMs: 1 } });
  const { base, db } = await startDashboard(redis, env);
  const client = await openHttpClient(redis, base, await addToken(db, 'poor', 'delegate', 0.03));
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      callTool(client, 'delegate', { tasks: [{ description: `Say ${i} [[turns:4]]` }], batch: `b${i}` }),
    ),
  );
  const ids = Array.from({ length: 50 }, (_, i) => `b${i}-1`);
  const end = await callTool(client, 'wait', { ids, seconds: 30 });
  expect(end.fields).toMatchObject({ blocked: expect.stringContaining('parked') });
  expect(Number(end.fields['parked'])).toBeGreaterThan(0);
  expect(Number(end.fields['done'])).toBeGreaterThan(0);
  const { settled, reserved, uncertain, limit } = await readBudget(db, { client: 'poor' });
  expect(settled + reserved + uncertain).toBeLessThanOrEqual(limit ?? 0);
});

it('bounds the requests of a client that are under way, and forgets those whose sender went away', async () => {
  const { send, base, db } = await startDashboard(redis, env);
  const token = await addToken(db, 'many', 'delegate');
  const right = { ...accept, authorization: `Bearer ${token}` };
  await callTool(await openHttpClient(redis, base, token), 'delegate', {
    tasks: [{ description: 'x' }],
    batch: 'open',
  });
  const leaving = new AbortController();
  const body = JSON.stringify({
    ...list,
    method: 'tools/call',
    params: { name: 'wait', arguments: { batch: 'open' } },
  });
  const init = {
    method: 'POST',
    body,
    signal: leaving.signal,
    headers: { ...right, 'content-type': 'application/json' },
  };
  const waits = Array.from({ length: 100 }, () => fetch(`${base}/mcp`, init).catch(() => undefined));
  await Promise.all(waits); // their streams are open
  expect((await send('POST', '/mcp', list, right)).status).toBe(429);
  leaving.abort();
  await waitUntil(async () => (await send('POST', '/mcp', list, right)).status === 200);
});
