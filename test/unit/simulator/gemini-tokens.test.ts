import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { findServedGemini } from '../../../simulator/gemini/api/served-models.ts';
import { toThoughtTokens } from '../../../simulator/gemini/rules/thinking.ts';
import { countGeminiTokens, cutToGeminiTokens } from '../../../simulator/gemini/rules/token-count.ts';

const read = (path: string): Promise<string> => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');
const perByte = (text: string): number => countGeminiTokens(text) / Buffer.byteLength(text);

it('counts prose at a quarter of a token a byte, code and JSON at a third', async () => {
  expect(
    perByte('Tasks come from the command line and from scripts. They are checked when they are put in.'),
  ).toBeCloseTo(1 / 4, 1);
  expect(perByte(await read('src/errors.ts'))).toBeCloseTo(0.3, 1);
  const finding = {
    id: 'finding_0a1b2c3d',
    at: '2026-11-20T10:00:00.000Z',
    topics: ['upload', 'limits'],
    costNanoUsd: 3_120_400,
  };
  const json = JSON.stringify(Array.from({ length: 50 }, () => finding));
  expect(perByte(json)).toBeGreaterThan(0.32);
  expect(perByte(json)).toBeLessThan(0.46);
});

it('counts other scripts at a quarter of a token a byte', () => {
  for (const text of [
    'アップロードの時間制限',
    '上传超时为三十秒',
    '업로드 시간 제한'.replaceAll(' ', ''),
    '🎩🎩🎩',
    'Größe'.slice(2, 4),
  ]) {
    expect(perByte(text)).toBeGreaterThanOrEqual(0.25);
    expect(countGeminiTokens(text)).toBeLessThanOrEqual(Math.ceil(Buffer.byteLength(text) / 4) + 1);
  }
});

it('never counts more tokens than bytes, and cuts at a limit without halving a character', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', ' ', '7', '{', 'ß', '火', '🎩') }),
      fc.nat(40),
      (text, limit) => {
        expect(countGeminiTokens(text)).toBeLessThanOrEqual(Buffer.byteLength(text));
        const cut = cutToGeminiTokens(text, limit);
        expect(text.startsWith(cut)).toBe(true);
        expect(cut.isWellFormed()).toBe(true);
        expect(countGeminiTokens(cut)).toBeLessThanOrEqual(limit);
        if (countGeminiTokens(text) <= limit) expect(cut).toBe(text);
      },
    ),
  );
});

it('thinks the same for the same prompt, more at a higher level, and not without a budget on 2.5', () => {
  const [three, two] = [findServedGemini('gemini-3.5-flash-lite'), findServedGemini('gemini-2.5-flash-lite')];
  const hash = 'a1b2c3d4e5f6';
  const at = (level: string | null, budget: number | null = null): number =>
    toThoughtTokens(three, { level, budget }, hash);
  expect(at(null)).toBe(at('MINIMAL'));
  expect([at('minimal'), at('low'), at('medium'), at('high')]).toEqual(
    [at('minimal'), at('low'), at('medium'), at('high')].toSorted((a, b) => a - b),
  );
  expect(at('medium')).toBeGreaterThanOrEqual(50);
  expect(at('medium')).toBeLessThanOrEqual(800);
  expect(at(null, 20)).toBe(20);
  expect(toThoughtTokens(two, { level: null, budget: null }, hash)).toBe(0);
  expect(toThoughtTokens(two, { level: null, budget: -1 }, hash)).toBeGreaterThan(0);
});
