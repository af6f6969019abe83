import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Simulator } from '../../../simulator/simulator.ts';
import { loadConfig } from '../../../src/config/environment.ts';
import { type FleetError, ShutdownError } from '../../../src/errors.ts';
import { Conversation } from '../../../src/haiku/loop/conversation.ts';
import { createModel } from '../../../src/models/create/model.ts';
import type { ContentBlock, ToolDefinition } from '../../../src/models/format.ts';
import type { Model, ModelReply, ModelRequest } from '../../../src/models/model.ts';
import { type Catalog, createCatalog } from '../../../src/pricing/catalog.ts';
import { costNanoUsd } from '../../../src/pricing/cost.ts';
import { addUsage, NO_USAGE } from '../../../src/pricing/tokens.ts';
import { makeFolder } from '../../support/folder.ts';
import {
  type Dialect,
  type DialectControl,
  DIALECTS,
  type FaultName,
  startProviders,
} from '../../support/models/dialects.ts';

const KEY = 'local-test-key';
const SYSTEM = [{ type: 'text' as const, text: 'You work alone. '.repeat(40) }];
const READ: ToolDefinition = {
  name: 'read',
  description: 'Reads a file.',
  input_schema: { type: 'object', properties: { file_path: { type: 'string' } }, required: ['file_path'] },
};
const TASK = '<task>\nDescribe a.txt and b.txt.\n</task>';
const SCHEMA = {
  type: 'object',
  properties: { title: { type: 'string' }, count: { type: 'integer' } },
  required: ['title', 'count'],
  additionalProperties: false,
};
const signal = new AbortController().signal;
const builtIn = createCatalog(DIALECTS.flatMap(({ row }) => row ?? []));
/** The simulators bill no peak hours. */
const OFF_PEAK = new Date('2026-11-29T12:00:00Z');

let providers: Simulator;
beforeEach(async () => {
  providers = await startProviders();
});
afterEach(() => providers.close());

/** A model as a new worker process opens it. */
async function open(
  { model: id, keyEnv, path }: Dialect,
  more: NodeJS.ProcessEnv = {},
  url = providers.url,
): Promise<Model> {
  const at =
    (find: Catalog['find']): Catalog['find'] =>
    (model, now) => ({ ...find(model, now), baseUrl: `${url}${path}` });
  const catalog = { ...builtIn, find: at(builtIn.find), findPrices: at(builtIn.findPrices) };
  const config = loadConfig({ FLEET_HOME: makeFolder(), FLEET_HAIKU_MODEL: id, ANTHROPIC_API_KEY: KEY, ...more });
  return (await createModel({ ...config, modelKeys: { [keyEnv]: KEY } }, catalog)).model;
}

const toRequest = (
  { model }: Dialect,
  messages: ModelRequest['messages'],
  more: Partial<ModelRequest> = {},
): ModelRequest => ({
  model,
  system: SYSTEM,
  messages,
  tools: [READ],
  maxTokens: 4_000,
  user: 'job-1',
  ...more,
});

const begin = (): Conversation => new Conversation([SYSTEM, [READ]], TASK);

function answer(conversation: Conversation, reply: ModelReply, text: (path: string) => string = toFile): void {
  conversation.addReply(reply);
  const uses = reply.content.filter((block) => block.type === 'tool_use');
  const results = uses.map(({ id, input }): ContentBlock => {
    const { file_path: path } = input as { file_path: string };
    return { type: 'tool_result', tool_use_id: id, content: text(path) };
  });
  conversation.addUser(results);
}

const toFile = (path: string): string => `1\t${path} has one line`;
const usesOf = ({ content }: ModelReply): string[] =>
  content.flatMap((block) => (block.type === 'tool_use' ? [(block.input as { file_path: string }).file_path] : []));
const textOf = ({ content }: ModelReply): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');

describe.each(DIALECTS)('$name', (dialect) => {
  let model: Model;
  let control: DialectControl;
  beforeEach(async () => {
    model = await open(dialect);
    control = dialect.control(providers);
  });

  it('calls two tools at once, takes their results, and is booked as it is billed', async () => {
    const conversation = begin();
    const first = await model.call(toRequest(dialect, conversation.messages), { signal });
    expect(first.stopReason).toBe('tool_use');
    expect(usesOf(first)).toEqual(['a.txt', 'b.txt']);
    const ids = first.content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    expect(new Set(ids).size).toBe(2);
    answer(conversation, first);
    const last = await model.call(toRequest(dialect, conversation.messages), { signal });
    expect(last.stopReason).toBe('end_turn');
    expect(textOf(last)).toMatch(/a\.txt.*b\.txt/s);

    const { calls, usage, billNanoUsd } = control.served();
    expect(calls).toBe(2);
    expect(usage).toEqual([first, last].reduce((sum, reply) => addUsage(sum, reply.usage), { ...NO_USAGE }));
    const entry = builtIn.find(dialect.model, OFF_PEAK);
    const booked = [first, last].reduce((sum, reply) => sum + costNanoUsd(entry, reply.usage, reply.geo), 0);
    expect(booked).toBe(billNanoUsd);
  });

  it('takes back what another process has stored of its replies', async () => {
    const conversation = begin();
    answer(conversation, await model.call(toRequest(dialect, conversation.messages), { signal }));
    const stored = JSON.parse(JSON.stringify(conversation.messages)) as ModelRequest['messages'];
    const other = await open(dialect);
    const last = await other.call(toRequest(dialect, stored), { signal });
    expect(last.stopReason).toBe('end_turn');
    expect(control.requests()).toHaveLength(2);
  });

  it('goes on after results were dropped from its conversation', async () => {
    const conversation = begin();
    const first = await model.call(toRequest(dialect, conversation.messages), { signal });
    answer(conversation, first, (path) => `1\t${path} ${'is long '.repeat(400)}`);
    expect(conversation.trim(1_000)).toBeGreaterThan(0);
    const last = await model.call(toRequest(dialect, conversation.messages), { signal });
    expect(['end_turn', 'tool_use']).toContain(last.stopReason);
  });

  it('calls no tool where it must not', async () => {
    const reply = await model.call(toRequest(dialect, begin().messages, { toolChoice: 'none' }), { signal });
    expect(usesOf(reply)).toEqual([]);
    expect(reply.stopReason).toBe('end_turn');
  });

  it('answers by a schema', async () => {
    const messages: ModelRequest['messages'] = [{ role: 'user', content: 'Name a title and a count.' }];
    const reply = await model.call(toRequest(dialect, messages, { tools: [], outputSchema: SCHEMA }), { signal });
    expect(JSON.parse(textOf(reply))).toEqual({ title: expect.any(String), count: expect.any(Number) });
  });

  it.each<[FaultName, object]>([
    ['wrong-key', { name: 'AccountRefusedError' }],
    ['forbidden', { name: 'AccountRefusedError' }],
    ['no-money', { name: 'AccountRefusedError' }],
    ['rate-limit', { name: expect.stringMatching(/^(RateLimitedError|QuotaError)$/), model: dialect.model }],
    ['bad-request', { name: 'TaskFailedError', reason: 'request' }],
    ['too-long', { reason: 'too-long' }],
    ['server-error', { name: 'ProviderUnavailableError', model: dialect.model, sent: false }],
    ['overloaded', { name: 'ProviderUnavailableError', model: dialect.model, sent: false }],
  ])('%s is an error of its own class, asked once and not billed', async (name, expected) => {
    const kind = dialect.faults[name];
    if (kind === null) return;
    control.setFaults([kind]);
    const error = await failed(model.call(toRequest(dialect, begin().messages), { signal }));
    expect(error).toMatchObject({ ...expected, billed: 'no' });
    expect(error.message).not.toContain(KEY);
    expect(control.requests()).toHaveLength(1);
    expect(control.served().calls).toBe(0);
  });

  it.each<[FaultName, string]>([
    ['refusal', 'refusal'],
    ['cut-off', 'max_tokens'],
  ])('%s is a reply with that stop reason, and is paid for', async (name, stopReason) => {
    const kind = dialect.faults[name];
    if (kind === null) return;
    control.setFaults([kind]);
    const reply = await model.call(toRequest(dialect, begin().messages), { signal });
    expect(reply.stopReason).toBe(stopReason);
    expect(reply.usage).toEqual(control.served().usage);
  });

  it.each(['cut', 'reset-mid-stream', 'overloaded-mid-stream', 'reset-after', 'broken-json'])(
    'a reply that breaks (%s) is not taken for a whole one, nor for a free one',
    async (kind) => {
      control.setFaults([kind]);
      const error = await failed(model.call(toRequest(dialect, begin().messages), { signal }));
      expect(error).toMatchObject({ name: 'ProviderUnavailableError', model: dialect.model, sent: true });
      expectPaid(error, control);
      expect(control.requests()).toHaveLength(1);
    },
  );

  it('a reply that stalls ends at the time limit, and is paid for', async () => {
    const hasty = await open(dialect, { FLEET_CALL_IDLE_MS: '1000' });
    control.setFaults(['stall']);
    const error = await failed(hasty.call(toRequest(dialect, begin().messages), { signal }));
    expect(error).toMatchObject({ name: 'CallTimeoutError', limit: 'idle' });
    expectPaid(error, control);
  });

  it("ends with the caller's own reason", async () => {
    const controller = new AbortController();
    const reason = new ShutdownError('going away');
    control.setFaults(['stall']);
    const call = failed(model.call(toRequest(dialect, begin().messages), { signal: controller.signal }));
    await expect.poll(() => control.requests().length).toBe(1);
    controller.abort(reason);
    const error = await call;
    expect(error).toBe(reason);
    expectPaid(error, control);
  });

  it('costs nothing where no connection was made', async () => {
    const gone = await startProviders();
    await gone.close();
    const lost = await open(dialect, {}, gone.url);
    const error = await failed(lost.call(toRequest(dialect, begin().messages), { signal }));
    expect(error).toMatchObject({ name: 'ProviderUnavailableError', sent: false, billed: 'no' });
  });

  // In a ring, so that a new dialect costs one more handover, not one with each.
  it.each([before(dialect)])('goes on with what $name began', async (other) => {
    const conversation = begin();
    const started = await (await open(other)).call(toRequest(other, conversation.messages), { signal });
    answer(conversation, started);
    const reply = await model.call(toRequest(dialect, conversation.messages), { signal });
    expect(reply.stopReason).toBe('end_turn');
    expect(textOf(reply)).toMatch(/a\.txt.*b\.txt/s); // it has read no file again
  });
});

function before(dialect: Dialect): Dialect {
  return DIALECTS.at(DIALECTS.indexOf(dialect) - 1) ?? dialect;
}

async function failed(call: Promise<unknown>): Promise<FleetError> {
  return call.then(
    () => expect.fail('the call went well'),
    (error: FleetError) => error,
  );
}

/** What is known of the cost is no more than the provider's bill; else it is unknown. */
function expectPaid({ billed }: FleetError, control: DialectControl): void {
  if (billed === 'unknown') return;
  expect(billed).toEqual({ reported: expect.anything() });
  const { reported } = billed as { reported: { input: number; output: number } };
  expect(reported.output).toBeLessThanOrEqual(control.served().usage.output);
}
