import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toOneLine } from '../../../src/text/one-line.ts';
import { normalize } from '../../../src/text/normalize.ts';
import { startOf } from '../../../src/text/start-of.ts';
import { cutText } from '../../../src/text/truncate.ts';
import { toWellFormed } from '../../../src/text/well-formed.ts';
import { anyText } from '../../support/any-text.ts';

const ELEPHANT = '🐘'; // two UTF-16 code units, four bytes
const HALF = ELEPHANT.slice(0, 1);

describe('no cut falls inside a character', () => {
  const text = `a${ELEPHANT}b${ELEPHANT}${ELEPHANT}c`;

  it.each(Array.from({ length: text.length + 2 }, (_, most) => most))('at %i code units', (most) => {
    const start = startOf(text, most);
    expect(start.isWellFormed()).toBe(true);
    expect(text.startsWith(start)).toBe(true);
    expect(start.length).toBeGreaterThanOrEqual(Math.min(most, text.length) - 1);
    expect(start.length).toBeLessThanOrEqual(most);
    expect(toOneLine(text, most)).toBe(start);
  });

  it.each([100, 101, 102, 103])('at %i bytes', (cap) => {
    const cut = cutText(ELEPHANT.repeat(100), cap);
    expect(cut).not.toContain('\ufffd');
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(cap);
  });

  it('and a text that is half a character already stays as it is', () => {
    expect(startOf(`ab${HALF}`, 3)).toBe(`ab${HALF}`);
  });
});

describe('a well-formed copy', () => {
  it('has a replacement for each half, in values, lists and names of fields', () => {
    expect(toWellFormed({ a: `x${HALF}`, [`b${HALF}`]: [1, null, [HALF, ELEPHANT]] })).toEqual({
      a: 'x\ufffd',
      'b\ufffd': [1, null, ['\ufffd', ELEPHANT]],
    });
  });

  it('is the value itself where nothing is to replace', () => {
    const value = { a: ['x', { b: ELEPHANT }], c: true };
    expect(toWellFormed(value)).toBe(value);
  });
});

it('puts a text on one line as if it had been cut last', () => {
  const text = fc
    .array(fc.constantFrom('a', 'bc', ' ', '\n', '\0', '\u001b', '\u2028', ELEPHANT))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.nat(12), (parts, most) => {
      expect(toOneLine(parts, most)).toBe(startOf(toOneLine(parts, Infinity), most));
    }),
  );
});

describe('a text is normalised', () => {
  it('as the language does it, if it is one of any language', () => {
    const unit = fc.constantFrom(
      'e',
      'ǘ',
      '\u0301',
      '\u0323',
      '\u3099',
      '\uFF9E',
      'が',
      '각',
      '\u1100',
      '\u1161',
      '\u0344',
      ELEPHANT,
      'ﷺ',
    );
    fc.assert(
      fc.property(fc.oneof(anyText(8), fc.string({ unit })), (text) => {
        for (const form of ['NFC', 'NFD', 'NFKC'] as const) {
          const padded = `${'\u0301\u0323'.repeat(40)} ${text}`; // taken in parts
          expect(normalize(text, form)).toBe(text.normalize(form));
          expect(normalize(padded, form).endsWith(` ${text}`.normalize(form))).toBe(true);
        }
      }),
    );
  });

  it.each(['NFC', 'NFD', 'NFKC'] as const)('also to %s in linear time, where it is marks alone', (form) => {
    const marks = '\u0315\u0316\uFF9E'.repeat(300_000);
    expect(normalize(`e\u0301${marks}`, form).startsWith('e\u0301'.normalize(form).slice(0, 1))).toBe(true);
  });
});
