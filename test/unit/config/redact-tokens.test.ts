import { expect, it } from 'vitest';
import { createToken } from '../../../src/clients/token.ts';
import { createRedactor, createStoreRedactor, redactJson } from '../../../src/config/redact.ts';

it.each(['a', 'ci-2', 'with_under_score', `${'x'.repeat(39)}9`])('the token of client %s is in no text', (name) => {
  const { token } = createToken(name);
  const secret = token.slice(-64);
  const text = `{"authorization":"Bearer ${token}","cut":"${token.slice(0, -20)}"}`;
  for (const redact of [createRedactor([]), createStoreRedactor([]), createStoreRedactor(['another-secret-77'])]) {
    expect(redact(text)).toBe('{"authorization":"Bearer [redacted]","cut":"[redacted]"}');
    expect(JSON.stringify(redactJson({ deep: [token] }, redact))).not.toContain(secret.slice(0, 8));
  }
});

it('words that only begin like a token stay', () => {
  const text = 'fleet_status, fleet_a_b and fleet_x_0123 are names';
  expect(createStoreRedactor([])(text)).toBe(text);
});
