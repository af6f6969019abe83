import { z } from 'zod';

/** Fields of the environment's schema: text in, value out, and a message that names the rule and the value. */

export const number = (low: number, high: number, kind: 'whole number' | 'number' = 'number') =>
  z.string().transform((text, context) => {
    const value = Number(text);
    const fits = value >= low && value <= high && (kind === 'number' || Number.isInteger(value));
    if (text.trim() !== '' && fits) return value;
    context.addIssue({ code: 'custom', message: `expected a ${kind} ${low}..${high}, got ${shown(text)}` });
    return z.NEVER;
  });

export const int = (low: number, high: number) => number(low, high, 'whole number');

export const oneOf = <const Choice extends string>(first: Choice, ...others: Choice[]) => {
  const choices = [first, ...others];
  const words = choices.length === 1 ? first : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return z.enum(choices, { error: (issue) => `expected ${words}, got ${shown(issue.input)}` });
};

/** Any non-empty text whose value no message shows. */
export const secret = z.string().min(1, { error: 'expected a value, got nothing' });

/** An address of one of the protocols; it may hold a password, so that no message shows it. */
export const url = (protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `expected an address starting with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

/** Items between commas, trimmed, empty ones left out. */
export const list = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );

/** A value as a message shows it. */
export const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
