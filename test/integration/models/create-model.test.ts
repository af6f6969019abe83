import { LLMock } from '@copilotkit/aimock';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { ConfigError } from '../../../src/errors.ts';
import { createModel } from '../../../src/models/create/model.ts';
import type { ModelRequest } from '../../../src/models/model.ts';
import { makeFolder } from '../../support/folder.ts';

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
    expect(open.model.limitKey).toMatch(/^[0-9a-f]{12}$/); // names the limits of the key in Redis, never the key
    const reply = await open.model.call(request, { signal });
    expect(reply.usage.output).toBeGreaterThan(0);
    await open.close();
    await expect(open.model.call(request, { signal })).rejects.toMatchObject({ sent: false });
  });

  it("refuses another vendor's model before anything is sent", async () => {
    const open = await createModel(configOf({ FLEET_OFFLINE: '1', ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' }));
    const call = open.model.call({ ...request, model: 'gemini-3.5-flash-lite' }, { signal });
    await expect(call).rejects.toMatchObject({ reason: 'model', billed: 'no' });
    await open.close();
  });
});
