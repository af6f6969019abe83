import * as fc from 'fast-check';

/**
 * Any text of code points, as `fc.string({ unit: 'binary' })` makes it; that one builds a table of all of them first, which takes
 * seconds on a busy machine.
 */
export function anyText(maxLength = 10): fc.Arbitrary<string> {
  const codePoint = fc.integer({ min: 0, max: 0x10_ff_ff }).filter((code) => code < 0xd8_00 || code > 0xdf_ff);
  return fc.array(codePoint, { maxLength }).map((codes) => String.fromCodePoint(...codes));
}
