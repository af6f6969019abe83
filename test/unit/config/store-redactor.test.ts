import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/environment.ts';
import { configSecrets, createStoreRedactor, redactJson } from '../../../src/config/redact.ts';
import { makeFolder } from '../../support/folder.ts';

const key = ['AI', 'zaSy', 'x1Y2z3'.repeat(5)].join('');

describe('the redactor of what is stored', () => {
  const redact = createStoreRedactor([key, 'a word', 'password', '12345678', '', 'hunter2-and-3']);

  it.each([
    ['as it is', key],
    ['in JSON', JSON.stringify({ key })],
    ['in an address', `https://example.org/?k=${encodeURIComponent(key)}`],
    ['in base64', Buffer.from(key).toString('base64')],
    ['in base64 after a name', Buffer.from(`user:${key}`).toString('base64')],
    ['in base64 within a text', Buffer.from(`ab${key}cd`).toString('base64url')],
    ['in hex', Buffer.from(key).toString('hex').toUpperCase()],
  ])('removes a key %s', (_form, text) => {
    expect(redact(text)).toContain('[redacted]');
    expect(redact(text)).not.toMatch(/x1Y2z3/);
  });

  it('leaves alone what a text can say by itself', () => {
    const text = 'a word, the password, 12345678, and nothing else';
    expect(redact(text)).toBe(text);
    expect(redact('hunter2-and-3')).toBe('[redacted]');
    expect(createStoreRedactor([])(key)).toBe(key);
  });

  it('takes passwords from addresses, also one with a bare per cent sign', () => {
    const config = loadConfig({
      FLEET_HOME: makeFolder(),
      FLEET_DATA: makeFolder(),
      ANTHROPIC_BASE_URL: 'http://:pa%25ss%zz1@h',
    });
    expect(configSecrets(config)).toContain('pa%25ss%zz1');
  });

  it('returns the same value where nothing is secret', () => {
    const value = { text: 'plain', list: [1] };
    expect(redactJson(value, redact)).toBe(value);
    expect(redactJson({ [key]: [key, { key }] }, redact)).toEqual({
      '[redacted]': ['[redacted]', { key: '[redacted]' }],
    });
  });
});
