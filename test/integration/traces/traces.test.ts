import { expect, test } from 'vitest';
import { startSimulator } from '../../../simulator/simulator.ts';
import { readRun } from '../../../src/run-record/read-run.ts';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { startOtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const SITE = { 'README.md': '# A site\n\nIt sells tea.\n' };

async function start(env: Record<string, string> = {}) {
  const receiver = await startOtlpReceiver();
  redis.cleanup(() => receiver.close());
  const fleet = await useSimulatedFleet(redis, {
    site: SITE,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`, ...env },
  });
  /** The spans of a job, its own first. */
  const spansOf = async (id: string): Promise<[ReceivedSpan, ...ReceivedSpan[]]> => {
    const find = () => receiver.spans.find(({ attributes }) => isOf(attributes, id, 'invoke_agent'));
    await waitUntil(() => find() !== undefined || receiver.refused.length > 0, { what: `the trace of ${id}` });
    expect(receiver.refused).toEqual([]);
    const root = find();
    if (root === undefined) throw new Error(`no trace of ${id}`);
    return [root, ...receiver.spans.filter(({ parentSpanId }) => parentSpanId === root.spanId)];
  };
  return { fleet, receiver, spansOf };
}

function isOf(attributes: ReceivedSpan['attributes'], id: string, operation: string): boolean {
  return attributes['gen_ai.conversation.id'] === id && attributes['gen_ai.operation.name'] === operation;
}

test('sends one trace a task: the job, its calls and its tools, tokens counted once, no content', async () => {
  const { fleet, receiver, spansOf } = await start({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a%3Db' });
  receiver.beBusy(1); // it sends the same again
  const id = await fleet.add('Summarise README.md [[turns:3]]', { workspace: 'site' });
  await fleet.until(id, 'completed');
  const [root, ...parts] = await spansOf(id);

  expect(root).toMatchObject({ name: 'invoke_agent worker', kind: 1, isError: false });
  expect(root.parentSpanId).toBeUndefined();
  expect(root.attributes).toMatchObject({ 'fleet.queue': 'tasks', 'gen_ai.agent.name': 'worker' });
  expect(root.events).toContain('fleet.taken');
  expect(new Set(parts.map(({ traceId }) => traceId))).toEqual(new Set([root.traceId]));

  const entries = await readRun(fleet.inner.db, id);
  const calls = entries.flatMap((entry) => (entry.kind === 'call' ? [entry] : []));
  const chats = parts.filter(({ name }) => name === 'chat claude-haiku-5-5');
  expect(chats.length).toBe(3);
  expect(chats.map(({ kind, ms, attributes }) => ({ kind, ms, ...attributes }))).toEqual(
    calls.map((call) =>
      expect.objectContaining({
        kind: 3,
        ms: call.ms,
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'anthropic',
        'gen_ai.request.model': 'claude-haiku-5-5',
        'gen_ai.usage.input_tokens': call.input,
        'gen_ai.usage.cache_read.input_tokens': call.cached,
        'gen_ai.usage.output_tokens': call.output,
        'fleet.cost_nano_usd': call.nanoUsd,
      }),
    ),
  );
  const tools = entries.flatMap((entry) => (entry.kind === 'tool' ? [entry.name] : []));
  expect(tools.length).toBeGreaterThan(0);
  expect(parts.filter(({ name }) => name.startsWith('execute_tool')).map(({ name }) => name)).toEqual(
    tools.map((tool) => `execute_tool ${tool}`),
  );
  expect(parts.length).toBe(chats.length + tools.length);

  expect(receiver.requests.every(({ path }) => path === '/v1/traces')).toBe(true);
  expect(receiver.requests[0]?.headers).toMatchObject({ authorization: 'Bearer a=b' });
  const sent = receiver.requests.map(({ body }) => body).join('');
  expect(sent).not.toMatch(/Summarise|README|sells tea/);
});

test('tells a failure, and with FLEET_OTEL_CONTENT what was asked, without keys', async () => {
  const { fleet, receiver, spansOf } = await start({ FLEET_OTEL_CONTENT: '1' });
  const failing = await fleet.tasks.add({ description: 'Decide on the database architecture' });
  await fleet.until(failing.id, 'failed');
  const [root] = await spansOf(failing.id);
  expect(root).toMatchObject({ isError: true, attributes: { 'error.type': 'handed-back' } });
  expect(root.events).toContain('fleet.failed');
  expect(root.attributes['gen_ai.input.messages']).toContain('Decide on the database');

  const secret = ['sk', 'ant', 'x'.repeat(24)].join('-');
  const id = await fleet.add(`Say ${secret}`);
  await fleet.until(id, 'completed');
  const [done] = await spansOf(id);
  expect(done.attributes['fleet.finding']).toBe((await fleet.bullJob(id)).returnvalue.findingId);
  expect(done.attributes['gen_ai.output.messages']).toContain('"role":"assistant"');
  expect(receiver.requests.map(({ body }) => body).join('')).not.toContain(secret);
});

test('a receiver that is away costs no task and no end of a process', async () => {
  const { fleet, receiver } = await start();
  await receiver.close();
  const id = await fleet.add('Say hello');
  await fleet.until(id, 'completed');
});

test('one trace holds a mission: its own calls, its question and its tasks, each below the job that asked for it', async () => {
  const receiver = await startOtlpReceiver();
  redis.cleanup(() => receiver.close());
  const simulator = await startSimulator({ anthropic: { latencyMs: 5 }, gemini: { latencyMs: 5 } });
  redis.cleanup(() => simulator.close());
  const urls = { ANTHROPIC_BASE_URL: simulator.url, GEMINI_BASE_URL: simulator.url };
  const fleet = await useFleet(redis, {
    env: { ...urls, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    haiku: 'http',
    coordinator: 'http',
    librarian: 'http',
  });
  await storeFindings(redis, { finding_old: { task: 'Say', summary: 'It is said.', result: 'It is said.' } });
  const { id } = await fleet.missions.add({ goal: 'Say that all is done. [[tasks:3]]', budget_usd: 50 });
  const agentOf = (queue: string) => receiver.spans.filter(({ attributes }) => attributes['fleet.queue'] === queue);
  await waitUntil(() => agentOf('missions').length > 0, { what: 'the trace of the mission' });
  const [mission] = agentOf('missions');
  expect(receiver.refused).toEqual([]);
  expect(mission).toMatchObject({ name: 'invoke_agent coordinator', isError: false });
  expect(mission?.attributes['gen_ai.conversation.id']).toBe(id);
  expect(mission?.parentSpanId).toBeUndefined();
  expect(agentOf('missions').length).toBe(1); // though it ran several times
  expect(agentOf('tasks').length).toBeGreaterThanOrEqual(3);
  expect(agentOf('archive').length).toBeGreaterThanOrEqual(1);
  expect(new Set(receiver.spans.map(({ traceId }) => traceId))).toEqual(new Set([mission?.traceId]));
  const children = [...agentOf('tasks'), ...agentOf('archive')];
  expect(new Set(children.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([mission?.spanId]));
  const own = receiver.spans.filter(
    ({ parentSpanId, name }) => parentSpanId === mission?.spanId && name.startsWith('chat'),
  );
  const calls = (await readRun(fleet.inner.db, id)).filter(({ kind }) => kind === 'call');
  expect(own.length).toBe(calls.length);
  expect(own.length).toBeGreaterThanOrEqual(2); // plan and synthesis
});
