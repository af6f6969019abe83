import { LLMock } from '@copilotkit/aimock';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import type { ModelRow } from '../../../src/config/model-rows/types.ts';
import { ConfigError } from '../../../src/errors.ts';
import { createModel } from '../../../src/models/create/model.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { makeFolder } from '../../support/folder.ts';
import { type Handler, startRawProvider } from '../../support/models/raw-provider.ts';

let home: string;

beforeEach(() => {
  home = makeFolder();
});

const configOf = (env: Record<string, string>) => loadConfig({ FLEET_HOME: home, ...env });
const request: ModelRequest = {
  model: 'claude-haiku-5-5',
  system: [],
  messages: [{ role: 'user', content: 'hello' }],
  tools: [],
  maxTokens: 200,
};
const signal = new AbortController().signal;

describe('without FLEET_OFFLINE', () => {
  it('refuses to start without a key, and does not fall back to the simulator', async () => {
    await expect(createModel(configOf({}))).rejects.toThrow(ConfigError);
    await expect(createModel(configOf({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' }))).rejects.toThrow(
      /ANTHROPIC_API_KEY/,
    );
  });
});

describe('with FLEET_OFFLINE=1', () => {
  it.each(['https://api.anthropic.com', 'http://192.168.0.7:80', 'http://127.0.0.1.example.org', 'http://10.0.0.1'])(
    'refuses %s, which is not this machine',
    async (address) => {
      const config = configOf({ FLEET_OFFLINE: '1', ANTHROPIC_BASE_URL: address });
      await expect(createModel(config)).rejects.toThrow(/ANTHROPIC_BASE_URL: .*this machine/s);
    },
  );

  it('calls the simulator it is pointed at, without any key', async () => {
    const provider = new LLMock({ port: 0, host: '127.0.0.1' });
    provider.onMessage('hello', { content: 'Hello.' });
    await provider.start();
    const open = await createModel(configOf({ FLEET_OFFLINE: '1', ANTHROPIC_BASE_URL: provider.url }));
    await expect(open.model.call(request, { signal })).resolves.toMatchObject({ stopReason: 'end_turn' });
    await open.close();
    await provider.stop();
  });

  it('starts a simulator of its own where none is named, and ends it', async () => {
    const open = await createModel(configOf({ FLEET_OFFLINE: '1' }));
    expect(open.model.limitKeyOf?.('claude-haiku-5-5')).toMatch(/^[0-9a-f]{12}$/); // names the limits of the key in Redis, never the key
    const reply = await open.model.call(request, { signal });
    expect(reply.usage.output).toBeGreaterThan(0);
    await open.close();
    await expect(open.model.call(request, { signal })).rejects.toMatchObject({ sent: false });
  });

  it('refuses a model without a price before anything is sent', async () => {
    const open = await createModel(configOf({ FLEET_OFFLINE: '1', ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' }));
    const call = open.model.call({ ...request, model: 'nobody-knows-1' }, { signal });
    await expect(call).rejects.toMatchObject({ reason: 'model', billed: 'no' });
    expect(open.model.limitKeyOf?.('nobody-knows-1')).toBeUndefined();
    await open.close();
  });

  it("serves another vendor's model from the same simulator", async () => {
    const open = await createModel(configOf({ FLEET_OFFLINE: '1' }));
    const reply = await open.model.call({ ...request, model: 'deepseek-flash' }, { signal });
    expect(reply).toMatchObject({ model: 'deepseek-flash', stopReason: 'end_turn' });
    await open.close();
  });
});

describe("with the fleet's own rows", () => {
  const KEY = 'local-test-key';
  const ROW: ModelRow = {
    id: 'house-model',
    vendor: 'house',
    api: 'anthropic',
    model: 'served-name',
    baseUrl: '',
    keyEnv: 'HOUSE_KEY',
    contextTokens: 100_000,
    maxOutputTokens: 8_000,
    price: { input: 1, output: 1, cacheRead: 1, cacheWrite: 1, step: null },
    limits: {},
    abilities: { tools: true, schema: false, thinking: false, images: false },
    since: '2026-01-01',
  };
  const ok: Handler = (_request, response) => {
    const text = '```json\n{"a": 1}\n```';
    const body = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'served-name',
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 7, output_tokens: 3 },
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  async function open(
    handle: Handler,
    change: Partial<ModelRow> = {},
    keys: Record<string, string> = { HOUSE_KEY: KEY },
  ) {
    const provider = await startRawProvider(handle);
    const config = configOf({ ANTHROPIC_API_KEY: 'local-other-key' });
    const row = { ...ROW, baseUrl: provider.url, ...change };
    const { model } = await createModel({ ...config, models: [row], modelKeys: keys });
    return { model, provider };
  }
  const asked: ModelRequest = { ...request, model: ROW.id, effort: 'high' };

  it("sends the provider's name and the row's key, and only what the row allows", async () => {
    const { model, provider } = await open(ok);
    const schema = { type: 'object', properties: { a: { type: 'integer' } } };
    const reply = await model.call({ ...asked, outputSchema: schema }, { signal });
    expect(reply.content).toEqual([{ type: 'text', text: '{"a": 1}' }]); // without its fence
    const [sent] = provider.requests;
    expect(sent?.headers['x-api-key']).toBe(KEY);
    expect(sent?.body).toEqual({
      model: 'served-name',
      max_tokens: 200,
      messages: request.messages,
      system: [{ type: 'text', text: expect.stringContaining(JSON.stringify(schema)) }],
      thinking: { type: 'disabled' },
      stream: true,
    });
    expect(await model.countTokens(asked, { signal })).toBeNull();
    expect(provider.requests).toHaveLength(1);
  });

  it('names the row in errors, by which it cools down', async () => {
    const { model } = await open(
      (_request, response) => void response.writeHead(429, { 'retry-after': '7' }).end('{}'),
    );
    await expect(model.call(asked, { signal })).rejects.toMatchObject({
      model: ROW.id,
      retryAfterMs: 7_000,
      billed: 'no',
    });
  });

  it.each<[string, Partial<ModelRow>, Record<string, string>, ModelRequest, RegExp]>([
    ['its key is not set', {}, {}, asked, /model house-model: HOUSE_KEY: expected a key, got nothing/],
    ['its row names no key', { keyEnv: null }, {}, asked, /expected a key_env in the row of house-model.*"house"/],
    [
      'it calls no tools',
      { abilities: { ...ROW.abilities, tools: false } },
      { HOUSE_KEY: KEY },
      { ...asked, tools: [{ name: 'read', description: '', input_schema: { type: 'object' } }] },
      /it calls no tools/,
    ],
  ])('sends nothing where %s', async (_why, change, keys, what, words) => {
    const { model, provider } = await open(ok, change, keys);
    const error: unknown = await model.call(what, { signal }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TaskFailedError', reason: 'model', billed: 'no' });
    expect((error as Error).message).toMatch(words);
    expect(provider.requests).toHaveLength(0);
  });

  it('asks a local model without any key, and knows its limits by its address', async () => {
    const { model, provider } = await open(ok, { keyEnv: null, price: 'free-local' }, {});
    await model.call(asked, { signal });
    expect(provider.requests).toHaveLength(1);
    expect(model.limitKeyOf?.(ROW.id)).toMatch(/^[0-9a-f]{12}$/);
    expect(model.limitKeyOf?.(ROW.id)).not.toBe(model.limitKeyOf?.('claude-haiku-5-5'));
  });

  it("needs at its start the key of the workers' own model, and no other", async () => {
    const local: ModelRow = { ...ROW, keyEnv: null, price: 'free-local' };
    const config = { ...configOf({ FLEET_HAIKU_MODEL: ROW.id }), models: [local] };
    await expect(createModel(config)).resolves.toBeDefined();
    await expect(createModel({ ...config, models: [ROW] })).rejects.toThrow(/HOUSE_KEY: expected a key.*house-model/s);
  });
});
