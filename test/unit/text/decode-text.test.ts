import { describe, expect, test } from 'vitest';
import { decodeText, findUtf8Problem } from '../../../src/text/decode-text.ts';

const utf16 = (text: string, mark = '\uFEFF') => Buffer.from(mark + text, 'utf16le');
const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16();

describe('bytes become exactly their text', () => {
  test.each([
    ['nothing', Buffer.alloc(0), '', 'UTF-8', false],
    ['UTF-8', Buffer.from('café 🐘'), 'café 🐘', 'UTF-8', false],
    ['UTF-8 with a byte order mark', Buffer.from('\uFEFFcafé'), 'café', 'UTF-8', true],
    ['UTF-8 that holds the replacement mark itself', Buffer.from('a\uFFFDb'), 'a\uFFFDb', 'UTF-8', false],
    ['UTF-16LE with its mark', utf16('café 🐘'), 'café 🐘', 'UTF-16LE', true],
    ['UTF-16BE with its mark', swapped(utf16('café 🐘')), 'café 🐘', 'UTF-16BE', true],
  ])('of %s', (_what, bytes, text, encoding, hasMark) => {
    expect(decodeText(bytes)).toEqual({ text, encoding, hasMark });
  });
});

describe('bytes that are no text are named with the offset of the first wrong one', () => {
  test.each([
    ['Latin-1', Buffer.from('caf\xe9 = 1', 'latin1'), /not UTF-8 text: byte 0xe9 at offset 3$/],
    ['Latin-1 after a replacement mark', Buffer.from([0xef, 0xbf, 0xbd, 0xe9]), /byte 0xe9 at offset 3$/],
    ['Windows-1252 quotes', Buffer.from([0x61, 0x93, 0x62, 0x94]), /byte 0x93 at offset 1$/],
    ['a character that is cut at the end', Buffer.from('é🐘').subarray(0, 5), /byte 0xf0 at offset 2$/],
    ['an overlong slash', Buffer.from([0x61, 0xc0, 0xaf]), /byte 0xc0 at offset 1$/],
    ['half a surrogate pair in UTF-8', Buffer.from([0x61, 0xed, 0xa0, 0x80]), /byte 0xed at offset 1$/],
    ['Shift-JIS', Buffer.from([0x93, 0xfa, 0x96, 0x7b]), /byte 0x93 at offset 0$/],
    ['a NUL', Buffer.from('ab\0c'), /NUL byte at offset 2$/],
    ['UTF-16 without a mark', utf16('abc', ''), /UTF-16 without a byte order mark: NUL byte at offset 1$/],
    ['UTF-16 of odd length', utf16('abc').subarray(0, 7), /not UTF-16LE text: its last character is cut$/],
    ['half a pair in UTF-16', utf16('ab\uD83Dc'), /not UTF-16LE text: half a character at offset 6$/],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), /NUL character at offset 2$/],
  ])('%s', (_what, bytes, problem) => {
    expect(decodeText(bytes)).toEqual({ text: null, problem: expect.stringMatching(problem) as string });
  });

  test('in large files, too', () => {
    const bytes = Buffer.concat([Buffer.from('é\uFFFD'.repeat(200_000)), Buffer.from([0xe9])]);
    expect(findUtf8Problem(bytes)).toContain(`offset ${5 * 200_000}`);
  });
});
