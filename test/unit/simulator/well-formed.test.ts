import { expect, it } from 'vitest';
import { checkWellFormed } from '../../../simulator/anthropic/validate/well-formed.ts';

const check = (value: unknown) => () => checkWellFormed(JSON.stringify(value), value);

it.each([
  ['the first half', { messages: [{ content: 'a\ud83d' }] }],
  ['the second half', { system: [{ text: '\ude00' }] }],
  ['a name', { input: { 'a\ud83d': 1 } }],
])('refuses half a pair: %s', (_name, value) => {
  expect(check(value)).toThrow(/The request body is not valid JSON: no low surrogate in string: line 1 column \d+/);
});

it('takes whole pairs, also escaped ones', () => {
  expect(check({ text: '😀' })).not.toThrow();
  expect(() => checkWellFormed(String.raw`{"text":"\ud83d\ude00"}`, { text: '😀' })).not.toThrow();
});
