import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutDepth, DEEPEST_JSON, isTooDeep, isValueTooDeep, toJsonDepth } from '../../../src/text/json-depth.ts';

const lists = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

function measure(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(measure));
}

it('counts the levels of any JSON, whatever brackets its texts hold', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.string(), (value, text) => {
      const whole = { value, [`[{${text}`]: `]}${text}{[` };
      expect(toJsonDepth(JSON.stringify(whole))).toBe(measure(whole));
      expect(toJsonDepth(JSON.stringify(whole, null, 2))).toBe(measure(whole));
    }),
  );
});

it('agrees on texts and values at the limit, and on any depth without a stack', () => {
  for (const depth of [0, 1, DEEPEST_JSON - 1, DEEPEST_JSON]) {
    expect([depth, isTooDeep(lists(depth))]).toEqual([depth, false]);
    if (depth > 0) expect([depth, isValueTooDeep(JSON.parse(lists(depth)))]).toEqual([depth, false]);
  }
  expect(isTooDeep(lists(DEEPEST_JSON + 1))).toBe(true);
  expect(isValueTooDeep(JSON.parse(lists(DEEPEST_JSON + 1)))).toBe(true);
  expect(isTooDeep(lists(1_000_000))).toBe(true);
  expect(isTooDeep(`[${'[],'.repeat(10_000)}[]]`)).toBe(false);
  let deep: unknown = null;
  for (let level = 0; level < 200_000; level += 1) deep = [deep, deep];
  expect(isValueTooDeep(deep)).toBe(true);
  const twice: Record<string, unknown> = {};
  Object.assign(twice, { a: twice, b: [twice, twice] });
  expect(isValueTooDeep(twice)).toBe(true); // its parts would double with each level
});

it('cuts what is too deep, and nothing else', () => {
  const cut = JSON.stringify(cutDepth({ a: 1, b: JSON.parse(lists(5_000)) }));
  expect(cut).toMatch(/^\{"a":1,"b":\[+"\(nested too deeply to show\)"\]+\}$/);
  expect(toJsonDepth(cut)).toBe(DEEPEST_JSON);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(cutDepth(value)).toEqual(value);
    }),
  );
});

it('counts the brackets after a quote that is never closed, in linear time', () => {
  const open = `"${String.raw`\"`.repeat(500_000)}`;
  expect(toJsonDepth(`[${open}`)).toBe(1);
  expect(isTooDeep(`${open}${lists(DEEPEST_JSON)}`)).toBe(false);
  expect(isTooDeep(`${open}${lists(DEEPEST_JSON + 1)}`)).toBe(true);
  expect(toJsonDepth(`[${JSON.stringify('"['.repeat(1_000_000))}]`)).toBe(1);
});
