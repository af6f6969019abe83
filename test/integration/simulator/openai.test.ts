import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type OpenAiSimulator, startOpenAiSimulator } from '../../../simulator/openai/server.ts';

let simulator: OpenAiSimulator;

beforeEach(async () => {
  simulator = await startOpenAiSimulator({ latencyMs: 0 });
  return () => simulator.close();
});

interface Answer {
  status: number;
  body: Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- a test reads any field
  headers: Headers;
}

async function post(body: object, key = 'local-test-key'): Promise<Answer> {
  const response = await fetch(`${simulator.url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== '' && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'], headers: response.headers };
}

const tool = {
  type: 'function',
  function: { name: 'read', parameters: { type: 'object', properties: { file_path: { type: 'string' } } } },
};
const system = { role: 'system', content: 'Be brief.' };
const user = { role: 'user', content: 'Describe a.txt. [[turns:2]]' };
const base = { model: 'gpt-4.1-mini', messages: [system, user] };
const call = (id: string) => ({ id, type: 'function', function: { name: 'read', arguments: '{"file_path":"a.txt"}' } });
const asked = (ids: string[], more: object = {}) => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map(call),
  ...more,
});
const answered = (id: string) => ({ role: 'tool', tool_call_id: id, content: '1\tone' });

it('goes through a round of calls and bills it by its own prices', async () => {
  const first = await post({ ...base, tools: [tool], max_completion_tokens: 1_000 });
  expect(first.status).toBe(200);
  const [choice] = first.body['choices'];
  expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { role: 'assistant' } });
  const calls: { id: string }[] = choice.message.tool_calls;
  const messages = [...base.messages, choice.message, ...calls.map(({ id }) => answered(id))];
  const last = await post({ ...base, messages, tools: [tool] });
  expect(last.body['choices'][0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.any(String) } });
  const { prompt_tokens: input, completion_tokens: output } = last.body['usage'];
  expect(simulator.requests().at(-1)).toMatchObject({ billNanoUsd: input * 400 + output * 1_600, turn: 1 });
});

it('streams the same reply, with the usage in a chunk of its own at the end', async () => {
  const whole = await post({ ...base, tools: [tool] });
  const response = await fetch(`${simulator.url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer local-test-key' },
    body: JSON.stringify({ ...base, tools: [tool], stream: true, stream_options: { include_usage: true } }),
  });
  const events = (await response.text()).split('\n\n').filter((event) => event !== '');
  expect(events.at(-1)).toBe('data: [DONE]');
  const chunks = events.slice(0, -1).map((event) => JSON.parse(event.slice(6)) as Answer['body']);
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
  expect(chunks.at(-2)).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }], usage: null });
  const json = chunks
    .flatMap((chunk) => chunk['choices'][0]?.delta?.tool_calls ?? [])
    .map((part: { function: { arguments: string } }) => part.function.arguments)
    .join('');
  expect(JSON.parse(json)).toEqual(JSON.parse(whole.body['choices'][0].message.tool_calls[0].function.arguments));
});

describe('refuses', () => {
  it.each([
    ['an unknown parameter', { ...base, cache: 1 }, "Unknown parameter: 'cache'."],
    [
      'an unknown field of a message',
      { ...base, messages: [system, { ...asked(['a']), reasoning_content: '' }, answered('a')] },
      "Unknown parameter: 'messages[1].reasoning_content'.",
    ],
    ['no messages', { model: 'gpt-4.1-mini' }, "Missing required parameter: 'messages'."],
    [
      'a call without an answer',
      { ...base, messages: [user, asked(['a', 'b']), answered('a')] },
      'did not have response messages: b',
    ],
    [
      'an answer without a call',
      { ...base, messages: [user, answered('a')] },
      'must be a response to a preceeding message',
    ],
    [
      'a message between call and answer',
      { ...base, messages: [user, asked(['a']), user, answered('a')] },
      'response messages: a',
    ],
    [
      'an id of more than 40 characters',
      { ...base, messages: [user, asked(['a'.repeat(41)])] },
      "Invalid 'messages[1].tool_calls[0].id': string too long.",
    ],
    [
      'an assistant without content and calls',
      { ...base, messages: [user, { role: 'assistant', content: null }] },
      'expected a string, got null',
    ],
    ['an empty list of tools', { ...base, tools: [] }, "Invalid 'tools': empty array."],
    ['a choice without tools', { ...base, tool_choice: 'auto' }, "only allowed when 'tools' are specified"],
    ['stream options without a stream', { ...base, stream_options: {} }, "only allowed when 'stream' is enabled"],
    [
      'max_tokens of a reasoning model',
      { ...base, model: 'gpt-5-mini', max_tokens: 10 },
      "Use 'max_completion_tokens' instead.",
    ],
    [
      'an effort of a model without one',
      { ...base, reasoning_effort: 'low' },
      "'reasoning_effort' is not supported with this model",
    ],
    [
      'an effort that the model does not have',
      { ...base, model: 'gpt-5-mini', reasoning_effort: 'none' },
      "'minimal', 'low', 'medium', and 'high'",
    ],
    [
      'tools with reasoning of GPT-5.6',
      { ...base, model: 'gpt-5.6-luna', tools: [tool] },
      'Function tools with reasoning_effort are not supported for gpt-5.6-luna',
    ],
    [
      'more tokens than a reply may have',
      { ...base, max_completion_tokens: 40_000 },
      'supports at most 32768 completion tokens',
    ],
    [
      'a prompt above the window',
      { ...base, model: 'gpt-5-mini', messages: [{ role: 'user', content: 'x'.repeat(1_200_000) }] },
      'Input tokens exceed the configured limit of 272000 tokens.',
    ],
    [
      'a schema for DeepSeek',
      { ...base, model: 'deepseek-flash', response_format: toFormat({ type: 'object' }) },
      'This response_format type is unavailable now',
    ],
    [
      'calls without their reasoning for DeepSeek',
      { ...base, model: 'deepseek-flash', tools: [tool], messages: [user, asked(['a']), answered('a')] },
      'must be passed back to the API',
    ],
    [
      'another id than nine letters for Mistral',
      { ...base, model: 'mistral-small-2603', messages: [user, asked(['call_1']), answered('call_1')] },
      'Tool call id was call_1 but must be a-z, A-Z, 0-9',
    ],
    [
      'a user after a tool for Mistral',
      { ...base, model: 'mistral-small-2603', messages: [user, asked(['abcdefgh1']), answered('abcdefgh1'), user] },
      "Unexpected role 'user' after role 'tool'",
    ],
  ])('%s', async (_what, body, words) => {
    const { status, body: error } = await post(body);
    expect([status, error['error']?.message ?? error['message']]).toEqual([400, expect.stringContaining(words)]);
    expect(simulator.served().calls).toBe(0);
  });

  it.each([
    [{ type: 'object', properties: {} }, "'additionalProperties' is required to be supplied and to be false"],
    [
      { type: 'object', properties: { a: { type: 'string' } }, required: [], additionalProperties: false },
      "Missing 'a'",
    ],
    [{ type: 'array', items: { type: 'string' } }, `schema must be a JSON Schema of 'type: "object"'`],
    [toStrict({ a: { allOf: [] } }), "'allOf' is not permitted"],
    [toStrict({ a: { type: 'string', minLength: 1 } }), "'minLength' is not permitted"],
    [toStrict({ a: {} }), "schema must have a 'type' key"],
    [toStrict({ a: { type: 'array' } }), 'array schema missing items'],
  ])('the strict schema %j', async (schema, words) => {
    const { status, body } = await post({ ...base, response_format: toFormat(schema) });
    expect([status, body['error'].message]).toEqual([400, expect.stringContaining(words)]);
  });

  it('a key that is missing or wrong, but asks for none where the model is local', async () => {
    simulator.configure({ acceptKeys: ['right-key'] });
    expect(await post(base, '')).toMatchObject({ status: 401 });
    expect(await post(base, 'wrong-key')).toMatchObject({ status: 401, body: { error: { code: 'invalid_api_key' } } });
    expect(await post(base, 'right-key')).toMatchObject({ status: 200 });
    expect(await post({ ...base, model: 'qwen3:8b' }, '')).toMatchObject({ status: 200 });
  });

  it('an unknown model, and what Mistral does not know with a 422', async () => {
    expect(await post({ ...base, model: 'gpt-9' })).toMatchObject({
      status: 404,
      body: { error: { code: 'model_not_found' } },
    });
    expect(await post({ ...base, model: 'mistral-small-2603', max_completion_tokens: 10 })).toMatchObject({
      status: 422,
      body: { object: 'error', message: expect.stringContaining('extra_forbidden') },
    });
  });
});

it('limits requests and tokens a minute, and states both in every answer', async () => {
  simulator.configure({ limits: { 'gpt-4.1-mini': { requests: 2, tokens: 1_000 } } });
  const first = await post({ ...base, max_completion_tokens: 400 });
  expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('1000');
  expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1');
  expect(first.headers.get('x-ratelimit-reset-tokens')).toMatch(/^\d+(\.\d+)?(ms|s)$|^\dm/);
  const second = await post({ ...base, max_completion_tokens: 900 });
  expect(second).toMatchObject({ status: 429, body: { error: { type: 'tokens', code: 'rate_limit_exceeded' } } });
  expect(Number(second.headers.get('retry-after-ms'))).toBeGreaterThan(0);
  expect((await post({ ...base, max_completion_tokens: 1_200 })).body['error'].message).toMatch(/^Request too large/);
  expect(await post({ ...base, max_completion_tokens: 100 })).toMatchObject({ status: 200 });
  expect(await post({ ...base, max_completion_tokens: 100 })).toMatchObject({
    status: 429,
    body: { error: { type: 'requests' } },
  });
});

it('reads a prefix of 1,024 tokens and more from the cache, in steps of 128, and bills what 5.6 writes', async () => {
  const long = { role: 'system', content: 'x'.repeat(4 * 1_300) };
  const ask = (model: string, text: string) => post({ model, messages: [long, { role: 'user', content: text }] });
  expect((await ask('gpt-4.1-mini', 'a')).body['usage'].prompt_tokens_details).toMatchObject({ cached_tokens: 0 });
  const again = await ask('gpt-4.1-mini', 'b');
  expect(again.body['usage'].prompt_tokens_details).toMatchObject({ cached_tokens: 1_280 });
  const { prompt_tokens: all, completion_tokens: output } = again.body['usage'];
  expect(simulator.requests().at(-1)).toMatchObject({
    billNanoUsd: 1_280 * 100 + (all - 1_280) * 400 + output * 1_600,
  });
  const written = await ask('gpt-5.6-luna', 'a');
  expect(written.body['usage'].prompt_tokens_details).toMatchObject({ cached_tokens: 0, cache_write_tokens: 1_280 });
});

it('is served beside the other providers, and configured over HTTP', async () => {
  const { startSimulator } = await import('../../../simulator/simulator.ts');
  const all = await startSimulator();
  onTestFinished(() => all.close());
  const configured = await fetch(`${all.url}/__simulator/openai/config`, {
    method: 'POST',
    body: JSON.stringify({ faults: [{ kind: 'quota' }] }),
  });
  expect(configured.status).toBe(200);
  const models = await fetch(`${all.url}/openai/v1/models`, { headers: { authorization: 'Bearer local-test-key' } });
  expect(await models.json()).toMatchObject({ object: 'list', data: expect.any(Array) });
  const refused = await fetch(`${all.url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer local-test-key' },
    body: JSON.stringify(base),
  });
  expect([refused.status, await refused.json()]).toMatchObject([429, { error: { code: 'insufficient_quota' } }]);
  expect(all.openai.requests()).toHaveLength(2);
});

function toFormat(schema: object): object {
  return { type: 'json_schema', json_schema: { name: 'plan', strict: true, schema } };
}

function toStrict(properties: object): object {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}
