import { expect, it } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { callTool } from '../../support/mcp/call-tool.ts';
import { openMcpClient } from '../../support/mcp/in-memory-client.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const tasksOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ description: `Say ${i + 1} [[turns:1]]` }));

it('delegates a batch, waits for it and reads its results', async () => {
  const client = await openMcpClient(redis, await useSimulatedFleet(redis));
  const added = await callTool(client, 'delegate', { tasks: tasksOf(3), batch: 'three' });
  expect(added.fields).toMatchObject({ batch: 'three', added: 3, existing: 0, ids: 'three-1..3' });
  const waited = await callTool(client, 'wait', { batch: 'three' });
  expect(waited.fields).toEqual({ total: 3, done: 3, ended: '1-3', next: 'result' });
  const all = await callTool(client, 'result', { batch: 'three' });
  expect(all.fields).toMatchObject({ lines: '1-3 of 3' });
  expect(all.fields['material']).toMatch(/^<material \w+: text of findings of batch three[^\n]*\n1 finding_\w+ \| /);
  const one = await callTool(client, 'result', { id: 'three-2' });
  expect(one.fields).toMatchObject({ page: 1, pages: 1, model: 'claude-haiku-5-5' });
});

it('adds nothing twice when a call is repeated', async () => {
  const client = await openMcpClient(redis, await useSimulatedFleet(redis));
  await callTool(client, 'delegate', { tasks: tasksOf(2), batch: 'again' });
  const again = await callTool(client, 'delegate', { tasks: tasksOf(2), batch: 'again' });
  expect(again.fields).toMatchObject({ added: 0, existing: 2 });
  const other = await callTool(client, 'delegate', { tasks: [{ description: 'Another task' }], batch: 'again' });
  expect(other).toMatchObject({ isError: true });
  expect(other.text).toMatch(/batch/);
});

it('adds none of the tasks if one breaks a rule, and names it', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const client = await openMcpClient(redis, fleet);
  const tasks = [{ description: 'Fine' }, { description: 'Bad', model: 'no-such-model' }];
  const answer = await callTool(client, 'delegate', { tasks, batch: 'bad' });
  expect(answer).toMatchObject({ isError: true });
  expect(answer.text).toMatch(/^task 2: model .*no-such-model.*; nothing was added/);
  expect(await fleet.queue.count()).toBe(0);
});

it('answers the forecast alone for a dear batch, until it is confirmed', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0, env: { FLEET_MCP_CONFIRM_USD: '0.002' } });
  const client = await openMcpClient(redis, fleet);
  const asked = await callTool(client, 'delegate', { tasks: tasksOf(10), batch: 'dear' });
  expect(asked.fields).toMatchObject({ added: 0, needs_confirm: true });
  expect(await fleet.queue.count()).toBe(0);
  const capped = await callTool(client, 'delegate', { tasks: tasksOf(10), batch: 'capped', budget_usd: 0.001 });
  expect(capped.fields).toMatchObject({ added: 10 });
  const confirmed = await callTool(client, 'delegate', { tasks: tasksOf(10), batch: 'dear', confirm: true });
  expect(confirmed.fields).toMatchObject({ added: 10 });
});

it('raises the budget of a batch only when confirmed, and then releases what it parked', async () => {
  const env = { FLEET_MCP_CONFIRM_USD: '0.002' };
  const client = await openMcpClient(redis, await useSimulatedFleet(redis, { env }));
  const batch = { tasks: tasksOf(5), batch: 'capped' };
  await callTool(client, 'delegate', { ...batch, budget_usd: 0.000_01 });
  const parked = await callTool(client, 'wait', { batch: 'capped', seconds: 20 });
  expect(parked.fields).toMatchObject({ parked: 5, blocked: expect.stringMatching(/parked/) });
  const asked = await callTool(client, 'delegate', { ...batch, budget_usd: 1 });
  expect(asked.fields).toMatchObject({
    needs_confirm: true,
    next: expect.stringMatching(/the higher budget is above/),
  });
  expect((await callTool(client, 'wait', { batch: 'capped', seconds: 0 })).fields).toMatchObject({ parked: 5 });
  await callTool(client, 'delegate', { ...batch, budget_usd: 1, confirm: true });
  expect((await callTool(client, 'wait', { batch: 'capped', seconds: 30 })).fields).toMatchObject({ done: 5 });
});

it('costs the context of a coordinator at most 5,000 tokens for a hundred tasks', async () => {
  const client = await openMcpClient(redis, await useSimulatedFleet(redis, { slots: 10 }));
  const added = await callTool(client, 'delegate', { tasks: tasksOf(100), batch: 'hundred', confirm: true });
  let { tokens } = added;
  for (let next = 'wait'; next === 'wait';) {
    const waited = await callTool(client, 'wait', { batch: 'hundred', seconds: 2 });
    tokens += waited.tokens;
    next = String(waited.fields['next']);
  }
  expect(tokens).toBeLessThanOrEqual(5_000);
  expect(tokens / 2).toBeLessThanOrEqual(2_500);
});

it('says that a batch is not whole, if the process that added it died', async () => {
  const fleet = await useSimulatedFleet(redis);
  const client = await openMcpClient(redis, fleet);
  await callTool(client, 'delegate', { tasks: tasksOf(2), batch: 'half' });
  const { batch } = redis.keys;
  await redis.redis.hset(batch('half'), 'lines', 0, 'loaded', 0); // as before the count of its first tasks is stored
  const waited = await callTool(client, 'wait', { batch: 'half', seconds: 0 });
  expect(waited.fields).toMatchObject({ next: 'delegate', blocked: expect.stringMatching(/call delegate again/) });
  await callTool(client, 'delegate', { tasks: tasksOf(2), batch: 'half' });
  expect((await callTool(client, 'wait', { batch: 'half' })).fields).toMatchObject({ done: 2, next: 'result' });
});
