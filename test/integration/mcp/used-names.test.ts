import { expect, it } from 'vitest';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { callTool } from '../../support/mcp/call-tool.ts';
import { openMcpClient } from '../../support/mcp/in-memory-client.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

it('drops no work silently whose name other work has', async () => {
  const fleet = await useFleet(redis);
  const client = await openMcpClient(redis, fleet);
  const tasks = [{ description: 'one' }, { description: 'two' }];
  await callTool(client, 'delegate', { tasks, batch: 'used' });
  const corrected = [tasks[0], { description: 'two, corrected' }, { description: 'three' }];
  const [delegated, ...same] = await Promise.all([
    callTool(client, 'delegate', { tasks: corrected, batch: 'used' }),
    callTool(client, 'delegate', { tasks, batch: 'used' }),
    callTool(client, 'delegate', { tasks: [...tasks, { description: 'three' }], batch: 'longer' }),
  ]);
  expect(delegated).toMatchObject({
    isError: true,
    text: expect.stringMatching(/^task id used-2: another task has it/),
  });
  expect(same.map(({ fields }) => fields['existing'])).toEqual([2, 0]);
  expect(await fleet.queue.count()).toBe(5);
  const ask = { query_id: 'mine', question: 'Who?', seconds: 0 };
  const plan = { action: 'plan', id: 'aim', goal: 'Know all', seconds: 0 };
  for (const [tool, input, other] of [
    ['ask_archive', ask, { question: 'Where?' }],
    ['mission', plan, { goal: 'Know nothing' }],
    ['mission', { ...plan, action: 'run', confirm: true }, { goal: 'Know nothing' }],
  ] as const) {
    expect((await callTool(client, tool, input)).isError, tool).toBe(false);
    expect((await callTool(client, tool, input)).isError, tool).toBe(false); // the same again
    const refused = await callTool(client, tool, { ...input, ...other });
    expect(refused, tool).toMatchObject({ isError: true, text: expect.stringMatching(/id .*: another .* has it/) });
  }
});

it('knows whose a batch is, also if its first line is bad', async () => {
  const fleet = await useFleet(redis);
  await fleet.tasks.addMany([{ description: '' }, { description: 'fine' }], { batch: 'persons' });
  const client = await openMcpClient(redis, fleet, { role: 'delegate', client: 'other' });
  for (const [tool, input] of [
    ['cancel', {}],
    ['retry', {}],
    ['delegate', { tasks: [{ description: 'mine' }], budget_usd: 0.01 }],
  ] as const) {
    const refused = await callTool(client, tool, { ...input, batch: 'persons' });
    expect(refused, tool).toMatchObject({ isError: true, text: expect.stringMatching(/persons is of no client/) });
  }
  expect((await fleet.budget.read({ batch: 'persons' })).limitNanoUsd).toBe(null);
  const mine = await openMcpClient(redis, await useFleet(redis, { client: 'other' }), {
    role: 'delegate',
    client: 'other',
  });
  await callTool(mine, 'delegate', { tasks: [{ description: 'mine' }], batch: 'mine' });
  expect((await callTool(mine, 'cancel', { batch: 'mine' })).fields).toMatchObject({ cancelled: 1 });
});

it('keeps the first of two documents that clients remember at once', async () => {
  const fleet = await useFleet(redis);
  const client = await openMcpClient(redis, fleet, { role: 'delegate', client: 'one' });
  const texts = ['a', 'b', 'c', 'd'];
  const answers = await Promise.all(texts.map((text) => callTool(client, 'remember', { name: 'notes', text })));
  const stored = texts.filter((_, i) => answers[i]?.isError === false);
  expect(stored).toHaveLength(1);
  expect(await fleet.contexts.get('notes')).toMatchObject({ text: stored[0], bytes: 1 });
  expect((await callTool(client, 'remember', { name: 'notes', text: stored[0] })).isError).toBe(false);
});
