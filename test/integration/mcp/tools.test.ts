import { expect, it } from 'vitest';
import { toolList } from '../../../src/mcp/tool-list.ts';
import { countTokens } from '../../../src/mcp/answer/size.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { callTool } from '../../support/mcp/call-tool.ts';
import { openMcpClient } from '../../support/mcp/in-memory-client.ts';
import { createMissionModel } from '../../support/models/mission-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

it('lists its tools, each with schemas and hints, in few tokens', async () => {
  const client = await openMcpClient(redis, await useFleet(redis));
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).sort()).toEqual([
    'ask_archive',
    'cancel',
    'claim',
    'delegate',
    'failed',
    'mission',
    'remember',
    'report',
    'result',
    'retry',
    'rules',
    'search_findings',
    'status',
    'wait',
  ]);
  for (const { outputSchema, annotations, description = '', name } of tools) {
    expect(outputSchema, name).toMatchObject({ type: 'object' });
    expect(Object.keys(annotations ?? {}).sort(), name).toEqual([
      'destructiveHint',
      'idempotentHint',
      'openWorldHint',
      'readOnlyHint',
    ]);
    expect(description.length, name).toBeLessThan(320);
    const tool = toolList.find((one) => one.name === name);
    expect(annotations?.readOnlyHint, name).toBe(tool?.needs === 'read');
  }
  expect(countTokens(tools)).toBeLessThan(13_400);
});

it('says which tasks failed and why, and retries them', async () => {
  const fleet = await useSimulatedFleet(redis);
  const client = await openMcpClient(redis, fleet);
  const tasks = [{ description: 'Fine [[turns:1]]' }, { description: 'Refuse it [[refuse]]' }];
  await callTool(client, 'delegate', { tasks, batch: 'mixed' });
  const waited = await callTool(client, 'wait', { batch: 'mixed' });
  expect(waited.fields).toMatchObject({ done: 1, failed: 1, failures: ['mixed-2 refusal'], next: 'result' });
  const failed = await callTool(client, 'failed', { batch: 'mixed' });
  expect(failed.fields).toMatchObject({ failed: 1, reasons: { refusal: 1 } });
  expect(failed.fields['material']).toMatch(/mixed-2 \(task\) refusal: /);
  const error = await callTool(client, 'result', { id: 'mixed-2' });
  expect(error).toMatchObject({ isError: true, text: expect.stringMatching(/mixed-2.*refusal.*the tool failed/) });
  const retried = await callTool(client, 'retry', { ids: ['mixed-2'], append: 'Please.' });
  expect(retried.fields).toMatchObject({ retried: 1, ids: ['mixed-2'] });
  await callTool(client, 'wait', { batch: 'mixed' });
});

it('cancels what waits, and says why a wait cannot end', async () => {
  const fleet = await useFleet(redis);
  const client = await openMcpClient(redis, fleet);
  await callTool(client, 'delegate', { tasks: [{ description: 'a' }, { description: 'b' }], batch: 'open' });
  const waited = await callTool(client, 'wait', { batch: 'open', seconds: 0 });
  expect(waited.fields).toMatchObject({
    open: 2,
    not_ended: '1-2',
    blocked: expect.stringMatching(/no haiku process is up/),
  });
  expect((await callTool(client, 'cancel', { batch: 'open' })).fields).toEqual({ cancelled: 2 });
  await callTool(client, 'delegate', { tasks: [{ description: 'd', for: 'outside' }], batch: 'ended' });
  await callTool(client, 'cancel', { batch: 'ended' });
  expect((await callTool(client, 'wait', { batch: 'ended', seconds: 0 })).fields).toMatchObject({
    cancelled: 1,
    next: 'tell the person',
  });
  await callTool(client, 'delegate', { tasks: [{ description: 'c', for: 'outside' }], batch: 'out' });
  await fleet.halt.halt({ reason: 'test', step: 'a test', by: 'me', detail: 'stop </material>' });
  for (const [tool, input] of [
    ['wait', { batch: 'open' }],
    ['claim', { as: 'agent' }],
    ['mission', { action: 'plan', goal: 'Know all' }],
    ['ask_archive', { question: 'Who?' }],
  ] as const) {
    const halted = await callTool(client, tool, input);
    expect(halted.text, tool).toMatch(/the fleet is halted; status shows why/);
    expect(halted.text, tool).not.toContain('stop'); // the words of a halt are material
  }
  const status = await callTool(client, 'status');
  expect(status.fields).toMatchObject({ halted: true, batches: ['out', 'ended', 'open'] });
  expect(status.fields['material']).toMatch(/stop <\/material>[\s\S]*fleet resume/);
});

it('holds a client of role delegate to its own work', async () => {
  const fleet = await useFleet(redis);
  const person = await openMcpClient(redis, fleet);
  await callTool(person, 'delegate', { tasks: [{ description: 'a' }], batch: 'persons' });
  const client = await openMcpClient(redis, fleet, { role: 'delegate', client: 'other' });
  for (const [tool, input] of [
    ['cancel', { batch: 'persons' }],
    ['cancel', { ids: ['persons-1'] }],
    ['retry', { ids: ['persons-1'] }],
    ['retry', { batch: 'persons', reason: 'refusal' }],
    ['delegate', { batch: 'persons', tasks: [{ description: 'a' }, { description: 'b' }] }],
  ] as const) {
    const refused = await callTool(client, tool, input);
    expect(refused, tool).toMatchObject({ isError: true, text: expect.stringMatching(/only its own work/) });
  }
  expect((await callTool(client, 'retry', { reason: 'refusal' })).isError).toBe(true);
  await callTool(person, 'remember', { name: 'notes', text: 'old' });
  expect((await callTool(client, 'remember', { name: 'notes', text: 'new' })).isError).toBe(true);
  expect((await fleet.contexts.get('notes'))?.text).toBe('old');
  expect((await callTool(client, 'remember', { name: 'mine', text: 'new' })).fields).toMatchObject({ bytes: 3 });
});

it('gives an outside worker a task and takes its report', async () => {
  const client = await openMcpClient(redis, await useFleet(redis));
  const none = await callTool(client, 'claim', { as: 'agent' });
  expect(none.fields).toMatchObject({ task_id: null, why: expect.stringMatching(/\w/) });
  await callTool(client, 'delegate', { tasks: [{ description: 'Count', for: 'outside' }], batch: 'out' });
  const { fields } = await callTool(client, 'claim', { as: 'agent' });
  expect(fields).toMatchObject({ task_id: 'out-1', material: expect.stringContaining('"Count"') });
  expect(fields['material']).toMatch(
    /^<material \w+: text of task out-1, which you took; its description says what to do/,
  );
  const { lease } = fields;
  expect((await callTool(client, 'claim', { as: 'agent', task: 'out-1', lease })).isError).toBe(false);
  const report = { task: 'out-1', lease, result: 'three' };
  expect((await callTool(client, 'report', report)).fields).toMatchObject({ did: 'recorded' });
  expect((await callTool(client, 'report', { ...report, result: 'four' })).isError).toBe(true);
  const { fields: found } = await callTool(client, 'result', { id: 'out-1' });
  expect(found).toMatchObject({ cost_usd: 'unmetered', material: expect.stringContaining('three') });
});

it('shows costs, and refuses what a tool does not have', async () => {
  const client = await openMcpClient(redis, await useSimulatedFleet(redis));
  await callTool(client, 'delegate', { tasks: [{ description: 'a [[turns:1]]' }], batch: 'paid' });
  await callTool(client, 'wait', { batch: 'paid' });
  const { fields } = await callTool(client, 'status', { costs: { by: 'batch' } });
  const usd = expect.stringMatching(/^\$0\.\d{4}$/);
  expect(fields['costs']).toMatchObject({
    rows: [
      { name: 'paid', tasks: 1, usd },
      { name: 'total', usd },
    ],
    day_left_usd: expect.stringMatching(/^\$/),
  });
  const none = await callTool(client, 'status', { costs: { by: 'rule', only: { batch: 'other' } } });
  expect(none.fields['costs']).toMatchObject({ rows: [{ name: 'total', tasks: 0 }] });
  expect((await callTool(client, 'status', { costs: { bye: 'batch' } })).isError).toBe(true);
  expect((await callTool(client, 'status', { costs: { only: { colour: 'red' } } })).text).toMatch(/costs: expected/);
  expect(await callTool(client, 'wait', {})).toMatchObject({
    isError: true,
    text: 'wait: expected batch or ids, got neither',
  });
});

it('offers resources with pages and completion, and prompts', async () => {
  const fleet = await useFleet(redis);
  await fleet.contexts.load('notes', 'tea '.repeat(20_000));
  const client = await openMcpClient(redis, fleet, { role: 'read' });
  const { resources } = await client.listResources();
  expect(resources.map(({ uri }) => uri)).toEqual(['fleet://context/notes']);
  const { resourceTemplates } = await client.listResourceTemplates();
  expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain('fleet://finding/{id}');
  const first = (await client.readResource({ uri: 'fleet://context/notes' })).contents[0];
  expect(first).toMatchObject({
    text: expect.stringMatching(/^page 1 of \d+; next: fleet:\/\/context\/notes\/2\n<material /),
  });
  expect((await client.readResource({ uri: 'fleet://context/notes/2' })).contents).toHaveLength(1);
  await expect(client.readResource({ uri: 'fleet://finding/nope' })).rejects.toThrow(/no job and no finding/);
  await expect(client.readResource({ uri: 'fleet://patch/nope' })).rejects.toThrow(/nope/);
  const completed = await client.complete({
    ref: { type: 'ref/resource', uri: 'fleet://context/{id}' },
    argument: { name: 'id', value: 'no' },
  });
  expect(completed.completion.values).toEqual(['notes']);
  const { prompts } = await client.listPrompts();
  expect(prompts.map(({ name }) => name)).toEqual(['coordinator', 'worker', 'handoff']);
  const { messages } = await client.getPrompt({ name: 'coordinator', arguments: { goal: 'Sell tea' } });
  expect(JSON.stringify(messages)).toContain('The goal: Sell tea');
});

it('plans a mission, shows the plan, runs it without a task, and reads the answer', async () => {
  const plan = [
    { id: 'look', description: 'Look at {item}', for_each: ['a', 'b'] },
    { id: 'tell', description: 'Tell a story' },
  ];
  const model = createMissionModel(plan);
  const fleet = await useFleet(redis, { config: { shards: [] }, coordinator: model, haiku: model });
  const client = await openMcpClient(redis, fleet);
  const dear = await callTool(client, 'mission', { action: 'run', goal: 'Find out.' });
  expect(dear).toMatchObject({ isError: true, text: expect.stringMatching(/not known before its plan/) });
  const planned = await callTool(client, 'mission', { action: 'plan', goal: 'Find out.', id: 'm' });
  expect(planned.fields).toMatchObject({ id: 'm', state: 'planned', tasks: 3, can_run: true });
  expect(planned.fields['material']).toMatch(/\n1\. \[haiku other\] Look at a\n/);
  const waited = await callTool(client, 'wait', { ids: ['m'] });
  expect(waited.fields['blocked']).toMatch(/waits for approval/);
  const other = await openMcpClient(redis, fleet, { role: 'delegate', client: 'other' });
  expect((await callTool(other, 'mission', { action: 'approve', id: 'm' })).text).toMatch(/only its own work/);
  const { version } = planned.fields;
  const running = await callTool(client, 'mission', { action: 'run', id: 'm', drop: [3], version });
  expect(running.fields).toMatchObject({ state: 'running', tasks: 2, next: 'wait' });
  await callTool(client, 'wait', { ids: ['m'] });
  expect((await callTool(client, 'mission', { action: 'show', id: 'm' })).fields).toMatchObject({
    state: 'done',
    done: 2,
  });
  expect((await callTool(client, 'result', { id: 'm' })).fields['kind']).toBe('mission');
});
