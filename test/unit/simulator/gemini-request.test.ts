import { describe, expect, it } from 'vitest';
import { GoogleError } from '../../../simulator/gemini/api/google-error.ts';
import { findServedGemini } from '../../../simulator/gemini/api/served-models.ts';
import { readContentRequest } from '../../../simulator/gemini/validate/content-request.ts';

const SERVED = findServedGemini('gemini-3.5-flash-lite');
const OLDER = findServedGemini('gemini-2.5-flash-lite');
const say = (text: string, config: object = {}) => ({ contents: [{ parts: [{ text }] }], generationConfig: config });
const json = (responseSchema: object) => say('hi', { responseMimeType: 'application/json', responseSchema });

function refusal(body: unknown, served = SERVED): string {
  try {
    readContentRequest(body, served);
  } catch (error) {
    if (error instanceof GoogleError) return error.message;
    throw error;
  }
  throw new Error('the request was accepted');
}

it('reads the texts, the system instruction and the limit', () => {
  const body = { ...say('hi', { maxOutputTokens: 5 }), system_instruction: { parts: [{ text: 'Be short.' }] } };
  expect(readContentRequest(body, SERVED)).toMatchObject({
    system: 'Be short.',
    prompt: 'hi',
    wantsJson: false,
    maxOutputTokens: 5,
  });
});

it('takes types in capitals, at every depth, for those of JSON Schema', () => {
  const list = { type: 'ARRAY', items: { anyOf: [{ type: 'STRING' }, { type: 'number' }] } };
  expect(readContentRequest(json({ type: 'OBJECT', properties: { list } }), SERVED).schema).toEqual({
    type: 'object',
    properties: { list: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } } },
  });
});

it.each([
  ['a body that is a list', [], 'Invalid JSON payload received. Unknown name "": Root element must be a message.'],
  [
    'unknown names, one a line, properties by position',
    {
      ...json({ type: 'OBJECT', properties: { a: { type: 'STRING' }, b: { type: 'STRING', const: 'x' } } }),
      top_k: 1,
    },
    `Invalid JSON payload received. Unknown name "const" at 'generation_config.response_schema.properties[1].value': Cannot find field.\nInvalid JSON payload received. Unknown name "top_k": Cannot find field.`,
  ],
  [
    'an unknown name in a part',
    { contents: [{ parts: [{ txt: 'hi' }] }] },
    `Invalid JSON payload received. Unknown name "txt" at 'contents[0].parts[0]': Cannot find field.`,
  ],
  [
    'a message without parts',
    { contents: [{ role: 'user' }] },
    '* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n',
  ],
  [
    'a limit of nothing',
    say('hi', { maxOutputTokens: 0 }),
    '* GenerateContentRequest.generation_config.max_output_tokens: must be positive.\n',
  ],
])('refuses %s', (_what, body, message) => {
  expect(refusal(body)).toBe(message);
});

const READ = { name: 'read', parameters: { type: 'OBJECT', properties: { path: { type: 'STRING' } } } };
const withTools = (declarations: object[], more: object = {}) => ({
  ...say('hi'),
  tools: [{ functionDeclarations: declarations }],
  ...more,
});
const withParameters = (properties: object) =>
  withTools([{ name: 'read', parameters: { type: 'OBJECT', properties } }]);

describe('declarations', () => {
  it.each([
    ['a name with a blank', withTools([{ name: 'read it' }]), 'name: Invalid function name'],
    ['a name twice', withTools([READ, READ]), '[1].name: Duplicate function declaration found: read'],
    ['both kinds of parameters', withTools([{ ...READ, parametersJsonSchema: {} }]), 'cannot both be set'],
    [
      'an object without properties',
      withParameters({ a: { type: 'OBJECT' } }),
      'parameters.properties[a].properties: should be non-empty for OBJECT type',
    ],
    [
      'a list without items',
      withParameters({ a: { type: 'ARRAY' } }),
      'parameters.properties[a].items: missing field.',
    ],
    ['items of a text', withParameters({ a: { type: 'STRING', items: { type: 'STRING' } } }), '$type == Type.ARRAY'],
    ['properties of a text', withParameters({ a: { type: 'STRING', properties: {} } }), 'only allowed for OBJECT type'],
    ['no type', withParameters({ a: { description: 'any' } }), 'parameters.properties[a].type: must be specified'],
    [
      'numbers to choose from',
      withParameters({ a: { type: 'INTEGER', enum: [1] } }),
      'enum: only allowed for STRING type',
    ],
    [
      'an unknown format',
      withParameters({ a: { type: 'STRING', format: 'uri' } }),
      "only 'enum' and 'date-time' are supported",
    ],
    [
      'a required field that is none',
      withTools([{ name: 'read', parameters: { ...READ.parameters, required: ['b'] } }]),
      'required[0]: property is not defined',
    ],
    [
      'JSON Schema words',
      withParameters({ a: { type: 'STRING', const: 'x' } }),
      `Unknown name "const" at 'tools[0].function_declarations[0].parameters.properties[0].value'`,
    ],
    [
      'a choice without functions',
      { ...say('hi'), toolConfig: { functionCallingConfig: { mode: 'NONE' } } },
      'Function calling config is set without function_declarations.',
    ],
    [
      'allowed names where it may answer',
      withTools([READ], { toolConfig: { functionCallingConfig: { mode: 'AUTO', allowedFunctionNames: ['read'] } } }),
      'only set when the mode is ANY or VALIDATED',
    ],
  ])('are refused with %s', (_what, body, words) => {
    expect(refusal(body)).toContain(words);
  });

  it('are taken as JSON Schema, too', () => {
    const free = { type: 'object', properties: { headers: { type: 'object', additionalProperties: true } } };
    const { offered } = readContentRequest(withTools([{ name: 'http', parametersJsonSchema: free }]), SERVED);
    expect(offered).toMatchObject([{ name: 'http' }]);
  });
});

describe('turns', () => {
  const user = { role: 'user', parts: [{ text: 'hi' }] };
  const call = (name: string, id?: string) => ({
    functionCall: { name, args: {}, ...(id !== undefined && { id }) },
    thoughtSignature: 'skip_thought_signature_validator',
  });
  const answer = (name: string, id?: string) => ({
    functionResponse: { name, response: { output: 'x' }, ...(id !== undefined && { id }) },
  });
  const model = (...parts: object[]) => ({ role: 'model', parts });
  const told = (...parts: object[]) => ({ role: 'user', parts });
  it.each([
    [
      'a call without its answer',
      [user, model(call('a'), call('b')), told(answer('a'))],
      /number of function response parts is equal/,
    ],
    ['a call that nothing answers', [user, model(call('a')), user], /number of function response parts is equal/],
    [
      'a call at the beginning',
      [model(call('a')), told(answer('a'))],
      /function call turn comes immediately after a user turn/,
    ],
    [
      'an answer without a call',
      [user, told(answer('a'))],
      /function response turn comes immediately after a function call turn/,
    ],
    ['another name', [user, model(call('a')), told(answer('b'))], /functionResponse.name does not match/],
    [
      'another id',
      [user, model(call('a', '1')), told(answer('a', '2'))],
      /functionResponse.id does not match functionCall.id/,
    ],
    [
      'no id where the call has one',
      [user, model(call('a', '1')), told(answer('a'))],
      /functionResponse.id does not match/,
    ],
    ['the model in the end', [user, model({ text: 'well' })], /end with a user role/],
    ['a part without content', [{ role: 'user', parts: [{}] }], /parts\[0\].data: required oneof field/],
    ['an empty text', [{ role: 'user', parts: [{ text: '' }] }], /parts\[0\].data: required oneof field/],
    [
      'an answer that is a text',
      [user, model(call('a')), told({ functionResponse: { name: 'a', response: 'x' } })],
      /function_response.response/,
    ],
  ])('are refused with %s', (_what, contents, words) => {
    expect(refusal({ contents })).toMatch(words);
  });

  it('may answer several calls, with what they had as ids', () => {
    const contents = [user, model(call('a', '1'), call('b')), told(answer('a', '1'), answer('b'), { text: 'go on' })];
    expect(readContentRequest({ contents }, SERVED).contents).toHaveLength(3);
  });
});

describe('what a model takes', () => {
  const config = { responseMimeType: 'application/json' };
  it('functions and JSON together only from Gemini 3 on', () => {
    const body = { ...withTools([READ]), generationConfig: config };
    expect(refusal(body, OLDER)).toBe("Function calling with a response mime type: 'application/json' is unsupported");
    expect(readContentRequest(body, SERVED).wantsJson).toBe(true);
  });

  it.each([
    ['both', SERVED, { thinkingLevel: 'LOW', thinkingBudget: 100 }, /only one of thinking budget and thinking level/],
    ['a level that is none', SERVED, { thinkingLevel: 'XHIGH' }, /Thinking level XHIGH is not supported/],
    ['a level before Gemini 3', OLDER, { thinkingLevel: 'LOW' }, /Thinking level is not supported/],
    ['a budget that is too small', OLDER, { thinkingBudget: 100 }, /thinking budget 100 is invalid/],
    [
      'the least level of a model without it',
      findServedGemini('gemini-3.8-flash'),
      { thinkingLevel: 'MINIMAL' },
      /MINIMAL is not supported/,
    ],
  ])('no thinking of %s', (_what, served, thinkingConfig, words) => {
    expect(refusal(say('hi', { thinkingConfig }), served)).toMatch(words);
  });
});
