import { z } from 'zod';
import { formatCount } from '../../text/plural.ts';

/** Fields of `models.json`. Each message names the rule and the value. */

/** A value as messages show it; only the beginning of a long one. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}

const MOST_SHOWN = 100;

/** A whole number within a range. */
export const int = (low: number, high: number) =>
  z
    .int({ error: (issue) => `expected a whole number ${low}..${high}, got ${shown(issue.input)}` })
    .refine((value) => value >= low && value <= high, {
      error: (issue) => `expected a whole number ${low}..${high}, got ${shown(issue.input)}`,
    });

/** A number within a range. */
export const number = (low: number, high: number, unit: string) => {
  const error = (issue: { input?: unknown }): string =>
    `expected a number ${low}..${formatCount(high)}${unit}, got ${shown(issue.input)}`;
  return z.number({ error }).refine((value) => value >= low && value <= high, { error });
};

/** A text that fits a pattern. @param rule what is expected, for people */
export const text = (pattern: RegExp, rule: string) => {
  const error = (issue: { input?: unknown }): string => `expected ${rule}, got ${shown(issue.input)}`;
  return z.string({ error }).refine((value) => pattern.test(value), { error });
};

export const yesNo = z.boolean({ error: (issue) => `expected true or false, got ${shown(issue.input)}` });

export const choice = <const Choice extends string>(...words: Choice[]) =>
  z.enum(words, { error: (issue) => `expected ${words.join(', ')}, got ${shown(issue.input)}` });

/** A list of one item at least. */
export const several = <Item extends z.ZodType>(item: Item, rule: string) =>
  z
    .array(item, { error: (issue) => `expected ${rule}, got ${shown(issue.input)}` })
    .min(1, { error: `expected ${rule}, got an empty list` });

/** An object whose unknown fields are named. */
export const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => describeUnknown(key, Object.keys(shape))).join('; ')
        : `expected an object with ${Object.keys(shape).join(', ')}, got ${shown(issue.input)}`,
  });

/** The value is not shown: it may be a key. */
function describeUnknown(key: string, known: readonly string[]): string {
  const rule = `unknown field ${JSON.stringify(key)}`;
  if (/^(?:api[_-]?)?key$|secret|token$/i.test(key) && known.includes('key_env')) {
    return `${rule}: a key belongs in .env; name its variable in key_env`;
  }
  return `${rule}; known are ${known.join(', ')}`;
}
