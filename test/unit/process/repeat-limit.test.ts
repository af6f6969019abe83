import { expect, test } from 'vitest';
import { createRepeatLimit } from '../../../src/process/logs/repeat-limit.ts';

const HOUR_MS = 3_600_000;

/** What an hour writes in which each text comes once every 10 ms. */
function storm(texts: number): { written: number; counted: number } {
  let at = 0;
  let written = 0;
  let counted = 0;
  const count = (_level: string, _text: string, more: number): void => {
    written += 1;
    counted += more;
  };
  const limit = createRepeatLimit(count, () => at);
  for (; at < HOUR_MS; at += 1_000) {
    for (let i = 0; i < texts; i += 1) {
      const more = limit.take('warn', `text ${i}`);
      if (more === null) continue;
      written += 1;
      counted += 1 + more;
    }
    limit.flush(false);
  }
  limit.flush(true);
  return { written, counted };
}

test('writes a few lines of one text, then about one a minute, and counts the others', () => {
  const { written, counted } = storm(1);
  expect(written).toBeLessThan(5 + 2 * 60);
  expect(counted).toBe(3_600);
});

test('bounds what very many texts write', () => {
  const { written, counted } = storm(2_000);
  expect(written).toBeLessThan(302 * (5 + 2 * 60));
  expect(counted).toBe(2_000 * 3_600);
});

test('writes a text again at once that did not come for long', () => {
  let at = 0;
  const limit = createRepeatLimit(
    () => undefined,
    () => at,
  );
  for (let i = 0; i < 5; i += 1) limit.take('warn', 'away');
  expect(limit.take('warn', 'away')).toBeNull();
  limit.flush(true);
  at = 10 * 60_000;
  limit.flush(false);
  expect([0, 1, 2].map(() => limit.take('warn', 'away'))).toEqual([0, 0, 0]);
});
