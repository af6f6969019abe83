import { z } from 'zod';

/** Fields of the environment's schema. Each parses a text, and its message names the rule and the value. */

/** A number within a range. */
export const number = (low: number, high: number, kind: 'whole number' | 'number' = 'number') =>
  z.string().transform((text, context) => {
    const value = Number(text);
    const fits = value >= low && value <= high && (kind === 'number' || Number.isInteger(value));
    if (text.trim() !== '' && fits) return value;
    context.addIssue({ code: 'custom', message: `expected a ${kind} ${low}..${high}, got ${shown(text)}` });
    return z.NEVER;
  });

/** A whole number within a range. */
export const int = (low: number, high: number) => number(low, high, 'whole number');

/** One of the given words. */
export const oneOf = <const Choice extends string>(first: Choice, ...others: Choice[]) => {
  const choices = [first, ...others];
  const words = choices.length === 1 ? first : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return z.enum(choices, { error: (issue) => `expected ${words}, got ${shown(issue.input)}` });
};

/** A provider's key. A character that no HTTP header can carry would fail each call; the message names it, and not the key. */
export const secret = z
  .string()
  .min(1, { error: 'expected a value, got nothing' })
  .superRefine((key, context) => {
    const wrong = /[^!-~]/u.exec(key);
    if (wrong === null) return;
    const code = wrong[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    const message = `expected ASCII letters, digits and signs, got U+${code} as character ${wrong.index + 1}; copy the key again`;
    context.addIssue({ code: 'custom', message });
  });

/** An address with one of the protocols; its message does not show the value, which may contain a password. */
export const url = (protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `expected an address starting with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

/** Items separated by commas, trimmed, without empty ones. */
export const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );

/** Relative paths, `node_modules,packages/a/node_modules`: within a folder, and no part of git or file of secrets. */
export const insidePaths = list.transform((items, context) => {
  for (const item of items) {
    const parts = item.split('/');
    const isInside = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\p{Cc}]/u.test(part));
    const isSecret = parts.some((part) => /^\.(git|env)/i.test(part));
    if (isInside && !isSecret) continue;
    const rule = isSecret ? 'expected no part of git and no .env file' : 'expected a relative path like node_modules';
    context.addIssue({ code: 'custom', message: `${rule}, got ${shown(item)}` });
  }
  return items;
});

/** A value as messages show it. */
export const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
