import { expect, it } from 'vitest';
import { escapeControls, withoutControls } from '../../../src/text/without-controls.ts';

it('removes what a terminal acts on, and nothing else', () => {
  expect(withoutControls('a\u001B[31mb\u0007c\u009B2Jd\u202Ee\u2066f\rg\n\th é 漢 👩‍🚀')).toBe(
    'a[31mbc2Jdefg\n\th é 漢 👩‍🚀',
  );
});

it('keeps the texts of JSON exact', () => {
  const value = { text: 'a\u001Bb\u009Bc\u202Ed\u007F' };
  const json = escapeControls(JSON.stringify(value));
  expect(json).toBe(String.raw`{"text":"a\u001bb\u009bc\u202ed\u007f"}`);
  expect(JSON.parse(json)).toEqual(value);
});
