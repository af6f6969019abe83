import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundTokens } from '../../../src/pricing/token-bound.ts';

const anyText = fc.string({ unit: 'grapheme', maxLength: 400 });
const bytes = fc.uint8Array({ minLength: 200, maxLength: 400 });

function bound(text: string): number {
  return boundTokens(JSON.stringify(text)).tokens;
}

function ofCharacters(min: number, max: number): fc.Arbitrary<string> {
  return fc
    .array(
      fc.integer({ min, max }).map((code) => String.fromCodePoint(code)),
      { maxLength: 200 },
    )
    .map((chars) => chars.join(''));
}

describe('the bound of a text', () => {
  it('is at least one token for 2.4 characters, and at most one for each byte', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const json = JSON.stringify(text);
        const { tokens, bytes: most } = boundTokens(json);
        expect(most).toBe(Buffer.byteLength(json));
        expect(tokens).toBeLessThanOrEqual(most);
        expect(tokens).toBeGreaterThanOrEqual(text.length / 2.4);
      }),
    );
  });

  it.each<[string, fc.Arbitrary<string>]>([
    ['Chinese and Japanese', ofCharacters(0x3040, 0x9fff)],
    ['Korean', ofCharacters(0xac00, 0xd7a3)],
    ['Cyrillic', ofCharacters(0x400, 0x4ff)],
    ['emoji', ofCharacters(0x1f300, 0x1faff)],
  ])('counts the bytes of %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(bound(text)).toBeGreaterThanOrEqual(Buffer.byteLength(text));
      }),
    );
  });

  it.each<[string, (data: Uint8Array) => string]>([
    ['hexadecimal', (data) => Buffer.from(data).toString('hex')],
    ['numbers', (data) => [...data].join(',')],
    ['keys', (data) => [...data].map((byte) => `${byte}f4`).join('/')],
  ])('counts almost every character of %s', (_, toText) => {
    fc.assert(
      fc.property(bytes, (data) => {
        const text = toText(data);
        expect(bound(text)).toBeGreaterThanOrEqual(0.8 * text.length);
      }),
    );
  });

  it('counts most characters of base64, which no words cover', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (stream) => {
        const data = Uint8Array.from(stream.take(3_000));
        const text = Buffer.from(data).toString('base64');
        fc.pre(new Set(data).size > 200); // only random data looks random
        expect(bound(text)).toBeGreaterThanOrEqual(0.9 * text.length);
      }),
      { numRuns: 20 },
    );
  });

  it.each(['docs/crashes-and-money.md', 'src/ledger/calls/paid-calls.ts', 'src/redis/scripts/begin-turn.lua'])(
    'is no more than a token for two characters of %s',
    (file) => {
      const text = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
      expect(text.length / bound(text)).toBeGreaterThan(2.1);
    },
  );

  it('counts an escape of JSON as the character that it stands for', () => {
    const text = 'one line\nand "another"\n\tone';
    expect(boundTokens(JSON.stringify(text)).tokens).toBe(boundTokens(text.replaceAll(/[\n\t]/g, ' ')).tokens + 1); // the quotes
    expect(bound('\n'.repeat(240))).toBeLessThanOrEqual(103);
  });
});
