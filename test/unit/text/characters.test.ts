import { describe, expect, it } from 'vitest';
import { toOneLine } from '../../../src/text/one-line.ts';
import { startOf } from '../../../src/text/start-of.ts';
import { cutText } from '../../../src/text/truncate.ts';
import { toWellFormed } from '../../../src/text/well-formed.ts';

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
