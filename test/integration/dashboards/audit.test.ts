import { expect, it } from 'vitest';
import { readAuditPage } from '../../../src/audit/read-audit.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { callTool } from '../../support/mcp/call-tool.ts';
import { addToken, openHttpClient } from '../../support/mcp/http-client.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const READER = 'only looks';
const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`,
});

it('notes who changed what by page, Bull Board and MCP, and nothing that was refused', async () => {
  const { base, send, ask, queues } = await startDashboard(redis, {
    DASHBOARD_USER: 'ada',
    DASHBOARD_PASSWORD: TEST_PASSWORD,
    DASHBOARD_READ_PASSWORD: READER,
  });
  const post = async (path: string, body: object, password = TEST_PASSWORD) =>
    (await send('POST', path, body, basic(password))).status;
  expect(await post('/api/fleet/budget', { limitUsd: '3' })).toBe(200);
  expect(await post('/api/fleet/budget', { limitUsd: '3' })).toBe(200); // the same once more
  expect(await post('/api/fleet/budget', { limitUsd: '4' }, READER)).toBe(403);
  expect(await post('/api/fleet/halt', { reason: ' ' })).toBe(400);
  expect(await post('/api/fleet/resume', { at: 'x' })).toBe(409);
  await queues.tasks.add('task', { description: 'Count', session: 's' }, { jobId: 'a' });
  expect(await post('/api/jobs/cancel', { ids: ['a', 'none'], dryRun: true })).toBe(200);
  expect(await post('/api/jobs/cancel', { ids: ['a', 'none'] })).toBe(200);
  const board = async (method: string, path: string, body?: object) =>
    (await send(method, `/queues/api/queues/${path}`, body, basic(TEST_PASSWORD))).status;
  expect(await board('PUT', 'tasks/pause')).toBe(200);
  expect(await board('PUT', 'tasks/pause')).toBe(200); // it is paused already
  expect(await board('PUT', 'tasks/a/retry')).toBe(409);
  expect(await board('PUT', 'tasks/obliterate', {})).toBe(403);

  const token = await addToken(redis.db, 'laptop', 'delegate');
  const client = await openHttpClient(redis, base, token);
  expect(await callTool(client, 'remember', { name: 'notes', text: 'pears' })).toMatchObject({ isError: false });
  expect(await callTool(client, 'remember', { name: 'notes', text: 'plums' })).toMatchObject({ isError: true });
  expect(await callTool(client, 'cancel', { ids: ['a'] })).toMatchObject({ isError: true }); // not its own

  const { entries } = await readAuditPage(redis.db, {}, { limit: 50 });
  expect(entries.map(({ who, from, client: of, what }) => [who, from, of, what])).toEqual([
    ['laptop', 'mcp', 'laptop', 'context-load'],
    ['ada', 'bull-board', null, 'queue-pause'],
    ['ada', 'page', null, 'cancel'],
    ['ada', 'page', null, 'budget'],
  ]);
  expect(entries[2]).toMatchObject({ about: { ids: ['a'], count: 1 }, before: { state: 'waiting' } });

  const read = async (query: string, password = READER) => {
    const answer = await ask(`/api/audit${query}`, { headers: basic(password) });
    return [answer.status, (await answer.json()) as Record<string, unknown>] as const;
  };
  const [, page] = await read('?limit=2&who=ada');
  expect(page).toMatchObject({
    entries: [{ shown: { about: 'queue tasks', change: 'paused no → yes' } }, { shown: { about: 'a' } }],
    cursor: entries[2]?.id,
  });
  expect(await read(`?who=ada&cursor=${entries[2]?.id}`)).toMatchObject([
    200,
    { entries: [{ what: 'budget', shown: { change: 'limit none → $3.0000' } }], cursor: null },
  ]);
  expect(await read('?what=cancel,halt&since=1h')).toMatchObject([200, { entries: [{ what: 'cancel' }] }]);
  for (const [query, message] of [
    ['?what=cancell', 'what: expected some of'],
    ['?since=soon', 'since: expected a date'],
    ['?cursor=x', 'cursor: expected that of the page before'],
    ['?limit=0', 'limit: expected 1..200'],
    ['?whom=ada', 'whom'],
  ] as const) {
    expect(await read(query), query).toMatchObject([400, { message: expect.stringContaining(message) as string }]);
  }
});
