import { expect, test } from 'vitest';
import { toReplyRoom } from '../../../src/librarian/answer/reply-room.ts';

test.each([
  ['gemini-2.0-flash', 8_192, 8_192],
  ['gemini-2.5-flash-lite', 64_000, 12_288],
  ['gemini-3.5-flash-lite', 64_000, 12_288],
  ['gemini-2.5-flash', 64_000, 32_768],
  ['gemini-2.5-pro', 64_000, 40_960],
  ['gemini-3.5-pro', 64_000, 40_960],
  ['deepseek-flash', 384_000, 24_192],
  ['gemini-2.5-pro', 16_000, 16_000],
  ['local', 384_000, 8_192],
])('an answer of %s, which writes at most %i tokens, has room for %i', (id, maxOutputTokens, room) => {
  const abilities = { tools: true, schema: true, thinking: id !== 'local', images: false };
  expect(toReplyRoom({ id, maxOutputTokens, abilities }, 8_192)).toBe(room);
});
