import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../simulator/anthropic/api/api-error.ts';
import { validateRequest } from '../../../simulator/anthropic/validate/request.ts';

const valid = { model: 'claude-haiku-5-5', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] };
const call = { type: 'tool_use', id: 'toolu_1', name: 'read', input: {} };
const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'text' };
const tool = { name: 'read', input_schema: { type: 'object' } };
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });

function refusal(body: object, endpoint: 'create' | 'count' = 'create'): ApiError {
  try {
    validateRequest(body, endpoint);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('the request was accepted');
}

it('accepts a whole conversation with tools, system blocks, caching and a schema', () => {
  const body = {
    ...valid,
    system: [{ type: 'text', text: 'You work.', cache_control: { type: 'ephemeral' } }],
    tools: [{ ...tool, description: 'reads', cache_control: null }],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    cache_control: { type: 'ephemeral' },
    metadata: { user_id: 'job-1' },
    stop_sequences: ['END'],
    thinking: { type: 'disabled' },
    output_config: {
      effort: 'low',
      format: {
        type: 'json_schema',
        schema: { type: 'object', properties: { minimum: { type: 'string' } }, additionalProperties: false },
      },
    },
    messages: [
      user('Read'),
      assistant([
        { type: 'text', text: 'Reading', citations: null },
        { ...call, caller: { type: 'direct' } },
      ]),
      user([
        { ...result, is_error: false },
        { type: 'text', text: 'go on' },
      ]),
    ],
  };
  expect(validateRequest(body, 'create').model.id).toBe('claude-haiku-5-5');
});

describe('parameters', () => {
  it.each([
    [{ temperature: 1 }, 'temperature'],
    [{ top_p: 1 }, 'top_p'],
    [{ top_k: 5 }, 'top_k'],
    [{ max_tokens: undefined }, 'max_tokens: Field required'],
    [{ max_tokens: 0 }, 'max_tokens: Input should be greater than or equal to 1'],
    [{ max_tokens: 1.5 }, 'max_tokens: Input should be a valid integer'],
    [{ max_tokens: 1_000_000 }, 'max_tokens: 1000000 > 128000'],
    [{ model: undefined }, 'model: Field required'],
    [{ messages: undefined }, 'messages: Field required'],
    [{ messages: [] }, 'messages: at least one message is required'],
    [{ colour: 'red' }, 'colour: Extra inputs are not permitted'],
    [{ metadata: { job: 'x' } }, 'metadata.job: Extra inputs are not permitted'],
    [{ cache_control: { type: 'permanent' } }, "cache_control.type: Input should be 'ephemeral'"],
    [{ stream: 'yes' }, 'stream: Input should be a valid boolean'],
    [{ tool_choice: { type: 'auto' } }, 'tool_choice: may only be specified while providing tools'],
    [{ output_config: { effort: 'huge' } }, 'output_config.effort'],
    [{ system: [{ type: 'text', text: '' }] }, 'system: text content blocks must be non-empty'],
  ])('refuses %j', (change, message) => {
    expect(refusal({ ...valid, ...change })).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(refusal({ ...valid, ...change }).message).toContain(message);
  });

  it('answers 404 for a model it does not serve', () => {
    expect(refusal({ ...valid, model: 'claude-2' })).toMatchObject({ status: 404, message: 'model: claude-2' });
  });

  it('takes no max_tokens when only counting', () => {
    expect(refusal(valid, 'count').message).toBe('max_tokens: Extra inputs are not permitted');
  });

  it('refuses a prompt above the model window', () => {
    const body = { ...valid, messages: [user('x'.repeat(2_500_003))] };
    expect(refusal(body).message).toBe('prompt is too long: 1000002 tokens > 1000000 maximum');
  });

  it('refuses a fifth cache breakpoint, the top-level one included', () => {
    const block = { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } };
    const messages = [user([block, block, block, block, { type: 'text', text: 'last' }])];
    expect(validateRequest({ ...valid, messages }, 'create').segments).toHaveLength(5);
    expect(refusal({ ...valid, messages, cache_control: { type: 'ephemeral' } }).message).toContain('Found 5');
  });
});

describe('messages', () => {
  it.each([
    ['an assistant first', [assistant('Hi')], 'first message must use the "user" role'],
    ['an assistant last', [user('Hi'), assistant('Yes')], 'prefill'],
    ['an unknown role', [{ role: 'robot', content: 'Hi' }], "Input should be 'user' or 'assistant'"],
    ['an empty text block', [user([{ type: 'text', text: '' }])], 'messages: text content blocks must be non-empty'],
    ['a blank text', [user(' \n')], 'must contain non-whitespace text'],
    ['no content', [user([])], 'all messages must have non-empty content'],
    ['an unknown key of a block', [user([{ type: 'text', text: 'a', parsed: 1 }])], 'text.parsed: Extra inputs'],
    ['an unknown key of a message', [{ role: 'user', content: 'a', id: 'x' }], 'messages.0.id: Extra inputs'],
    [
      'a thought without its signature',
      [
        user('a'),
        assistant([
          { type: 'thinking', thinking: '' },
          { type: 'text', text: 'b' },
        ]),
        user('c'),
      ],
      'messages.1.content.0.thinking.signature: Field required',
    ],
    [
      'a cache breakpoint on a thought',
      [user('a'), assistant([{ type: 'thinking', thinking: '', signature: 's', cache_control: null }]), user('c')],
      'messages.1.content.0.thinking.cache_control: Extra inputs are not permitted',
    ],
    ['a tool call by the user', [user([call])], '`tool_use` blocks are not allowed in user messages'],
    [
      'a tool call without input',
      [user('a'), assistant([{ ...call, input: 'x' }]), user([result])],
      'valid dictionary',
    ],
  ])('refuses %s', (_name, messages, message) => {
    expect(refusal({ ...valid, messages }).message).toContain(message);
  });

  it('wants every tool call answered in the next message', () => {
    const messages = [user('a'), assistant([call, { ...call, id: 'toolu_2' }]), user([result])];
    expect(refusal({ ...valid, messages }).message).toBe(
      'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_2. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
    );
  });

  it('takes results at the start of the message only', () => {
    const messages = [user('a'), assistant([call]), user([{ type: 'text', text: 'well' }, result])];
    expect(refusal({ ...valid, messages }).message).toContain(
      'without `tool_result` blocks immediately after: toolu_1',
    );
  });

  it.each([
    ['in the first message', [user([result])]],
    ['a turn too late', [user('a'), assistant([call]), user([result]), assistant('b'), user([result])]],
  ])('refuses a result without its call, %s', (_name, messages) => {
    expect(refusal({ ...valid, messages }).message).toContain(
      'unexpected `tool_use_id` found in `tool_result` blocks: toolu_1',
    );
  });

  it('refuses two results for one call', () => {
    const messages = [user('a'), assistant([call]), user([result, result])];
    expect(refusal({ ...valid, messages }).message).toContain('each tool_use must have a single result');
  });

  it('refuses a tool call id that was used before', () => {
    const messages = [user('a'), assistant([call]), user([result]), assistant([call]), user([result])];
    expect(refusal({ ...valid, messages }).message).toContain('ids must be unique');
  });
});

describe('tools', () => {
  it.each([
    [{ input_schema: { type: 'object' } }, 'tools.0.custom.name: Field required'],
    [{ name: 'read' }, 'tools.0.custom.input_schema: Field required'],
    [{ name: 'read', input_schema: {} }, 'tools.0.custom.input_schema.type: Field required'],
    [{ name: 'a tool', input_schema: { type: 'object' } }, 'String should match pattern'],
    [{ ...tool, run: 'x' }, 'tools.0.custom.run: Extra inputs are not permitted'],
  ])('refuses %j', (given, message) => {
    expect(refusal({ ...valid, tools: [given] }).message).toContain(message);
  });

  it('refuses two of one name', () => {
    expect(refusal({ ...valid, tools: [tool, tool] }).message).toBe('tools: Tool names must be unique.');
  });

  it.each([{ type: 'any' }, { type: 'tool', name: 'read' }])(
    'refuses the forced choice %j where the model thinks',
    (choice) => {
      const body = { ...valid, tools: [tool], tool_choice: choice };
      expect(refusal(body).message).toBe('Thinking may not be enabled when tool_choice forces tool use.');
      expect(refusal({ ...body, model: 'claude-sonnet-5-5' }).message).toContain('not supported by claude-sonnet-5-5');
      for (const quiet of [{ thinking: { type: 'disabled' } }, { model: 'claude-haiku-4-5' }]) {
        expect(validateRequest({ ...body, ...quiet }, 'create').request.tool_choice).toEqual(choice);
      }
    },
  );

  it('refuses a choice of a tool that is not there', () => {
    const body = { ...valid, model: 'claude-haiku-4-5', tools: [tool], tool_choice: { type: 'tool', name: 'fly' } };
    expect(refusal(body).message).toContain("Tool 'fly' not found");
  });
});

describe('output format', () => {
  it.each([
    [{ type: 'object', properties: {} }, "'additionalProperties' must be explicitly set to false"],
    [{ type: 'array', items: { type: 'object' } }, "'additionalProperties' must be explicitly set to false"],
    [{ type: 'integer', minimum: 1 }, "For 'integer' type, properties minimum are not supported"],
  ])('refuses the schema %j', (schema, message) => {
    const body = { ...valid, output_config: { format: { type: 'json_schema', schema } } };
    expect(refusal(body).message).toContain(message);
  });
});
