import { describe, expect, it } from 'vitest';
import type { Message, ToolUseBlock } from '../../../src/models/format.ts';
import { type GeminiOpaque, toContents, toSignedHash } from '../../../src/models/gemini/contents.ts';

const MODEL = 'gemini-3.5-flash-lite';
const PLACEHOLDER = 'skip_thought_signature_validator';

const call = (id: string, input: object, own: Partial<GeminiOpaque> | null = null): ToolUseBlock => ({
  type: 'tool_use',
  id,
  name: 'read',
  input,
  ...(own !== null && { opaque: { api: 'gemini', model: MODEL, signed: toSignedHash(input), ...own } }),
});
const result = (id: string, content: string, isError = false) => ({
  type: 'tool_result' as const,
  tool_use_id: id,
  content,
  ...(isError && { is_error: true }),
});
const text = (said: string) => ({ type: 'text' as const, text: said });
const say = (messages: Message[], model = MODEL) => toContents(messages, { model });
const HI: Message = { role: 'user', content: [text('hi')] };

it('sends calls with the ids and signatures that they came with, and each answer by its id', () => {
  const calls = [
    call('call_1', { path: 'a' }, { callId: 'x1', thoughtSignature: 'c2ln' }),
    call('call_2', { path: 'b' }, { callId: 'x2' }),
  ];
  expect(
    say([
      HI,
      { role: 'assistant', content: [text('Looking.'), ...calls] },
      {
        role: 'user',
        content: [result('call_2', 'no such file', true), result('call_1', 'ten'), text('Three turns left.')],
      },
    ]),
  ).toEqual([
    { role: 'user', parts: [{ text: 'hi' }] },
    {
      role: 'model',
      parts: [
        { text: 'Looking.' },
        { functionCall: { id: 'x1', name: 'read', args: { path: 'a' } }, thoughtSignature: 'c2ln' },
        { functionCall: { id: 'x2', name: 'read', args: { path: 'b' } } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: 'x1', name: 'read', response: { output: 'ten' } } },
        { functionResponse: { id: 'x2', name: 'read', response: { error: 'no such file' } } },
        { text: 'Three turns left.' },
      ],
    },
  ]);
});

describe('a call that', () => {
  const sent = (block: ToolUseBlock, model = MODEL, withSignatures = true) =>
    toContents([HI, { role: 'assistant', content: [block] }, { role: 'user', content: [result('call_1', 'x')] }], {
      model,
      withSignatures,
    })[1]?.parts?.[0];

  it.each([
    ['another vendor’s model made', call('call_1', {})],
    [
      'another Gemini model made',
      call('call_1', {}, { model: 'gemini-3.8-flash', thoughtSignature: 'c2ln', callId: 'x' }),
    ],
    [
      'was changed since',
      call('call_1', { path: '[redacted]' }, { thoughtSignature: 'c2ln', signed: 'of another input' }),
    ],
  ])('%s has the placeholder for a signature', (_what, block) => {
    expect(sent(block)).toMatchObject({ thoughtSignature: PLACEHOLDER });
    expect(sent(block, 'gemini-2.5-flash')).not.toHaveProperty('thoughtSignature');
  });

  it('another model made has no id of its provider', () => {
    const block = call('call_1', {}, { model: 'gemini-3.8-flash', callId: 'x' });
    expect(sent(block)).toEqual({ functionCall: { name: 'read', args: {} }, thoughtSignature: PLACEHOLDER });
  });

  it('is sent again after a refusal has the placeholder, too', () => {
    const block = call('call_1', {}, { thoughtSignature: 'c2ln' });
    expect(sent(block, MODEL, false)).toMatchObject({ thoughtSignature: PLACEHOLDER });
  });

  it('has a text as input is sent as an object', () => {
    const block = { ...call('call_1', {}), input: '{"path":' };
    expect(sent(block)).toMatchObject({ functionCall: { args: { input: '{"path":' } } });
  });
});

it('sends a text’s signature in the part that it came in', () => {
  const own = { api: 'gemini' as const, model: MODEL, thoughtSignature: 'c2ln' };
  const messages: Message[] = [
    HI,
    {
      role: 'assistant',
      content: [
        { ...text('well'), opaque: own },
        { ...text('then'), opaque: { ...own, isApart: true } },
      ],
    },
    HI,
  ];
  expect(say(messages)[1]?.parts).toEqual([
    { text: 'well', thoughtSignature: 'c2ln' },
    { text: 'then' },
    { text: '', thoughtSignature: 'c2ln' },
  ]);
  expect(say(messages, 'gemini-3.8-flash')[1]?.parts).toEqual([{ text: 'well' }, { text: 'then' }]);
});

it('leaves out thinking and what is empty, and joins what one role says in a row', () => {
  const messages: Message[] = [
    HI,
    { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm', signature: 's' }, text('  ')] },
    { role: 'user', content: 'go on' },
  ];
  expect(say(messages)).toEqual([{ role: 'user', parts: [{ text: 'hi' }, { text: 'go on' }] }]);
});

it('tells a call without a result that there is none', () => {
  const messages: Message[] = [HI, { role: 'assistant', content: [call('call_1', {})] }, HI];
  expect(say(messages)[2]?.parts).toEqual([
    { functionResponse: { name: 'read', response: { error: 'no result' } } },
    { text: 'hi' },
  ]);
});
