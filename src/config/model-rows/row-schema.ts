import { z } from 'zod';
import { choice, int, number, object, shown, text, yesNo } from './fields.ts';
import { findVendor } from './vendors.ts';

/** Dollars a million tokens. Far above any price, so that a price a token is noticed. */
const MOST_USD = 10_000;
const usd = number(0, MOST_USD, ' dollars a million tokens');

/** Names of totals that are no vendors: `cost:haiku` is of Anthropic's Haiku models alone. */
const TAKEN = ['haiku', 'sonnet', 'gemini', 'other'];

const step = object({
  tokens: int(1, 100_000_000),
  factor: number(1, 100, '').optional(),
  input: usd.optional(),
  output: usd.optional(),
  cache_read: usd.optional(),
  cache_write: usd.optional(),
}).refine(isWholeStep, {
  error: 'expected tokens with a factor, or with input and output (and cache_read, cache_write) of a prompt above them',
});

const price = object({
  input: usd,
  output: usd,
  cache_read: usd.optional(),
  cache_write: usd.optional(),
  step: step.optional(),
})
  .refine(({ input, output }) => input + output > 0, {
    error: 'expected prices above 0; of a model that costs nothing, write "free-local" as its price',
  })
  // A budget reserves what a call costs above the step where its estimate is above it. The prompt may turn out to be below.
  .refine(({ step: above, ...usual }) => above === undefined || isNoLower(above, usual), {
    path: ['step'],
    error: 'expected prices no lower than those of a prompt below the step',
  });

interface UsdPrices {
  input?: number | undefined;
  output?: number | undefined;
  cache_read?: number | undefined;
  cache_write?: number | undefined;
}

function isWholeStep({ factor, input, output, cache_read, cache_write }: UsdPrices & { factor?: number | undefined }) {
  if (factor === undefined) return input !== undefined && output !== undefined;
  return [input, output, cache_read, cache_write].every((one) => one === undefined);
}

function isNoLower(above: UsdPrices & { factor?: number | undefined }, usual: UsdPrices): boolean {
  if (!isWholeStep(above) || above.factor !== undefined) return true; // then its own rule speaks, or none is needed
  const toList = ({ input = 0, output = 0, cache_read = input, cache_write = input }: UsdPrices) => [
    input,
    output,
    cache_read,
    cache_write,
  ];
  return toList(above).every((one, i) => one >= (toList(usual)[i] ?? 0));
}

export const rowSchema = object({
  id: text(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$/, 'an id of letters, digits and . _ : / @ + -'),
  vendor: text(/^[a-z][a-z0-9-]{0,31}$/, 'a name of lower-case letters, digits and -, at most 32').refine(
    (name) => !TAKEN.includes(name),
    { error: (issue) => `${JSON.stringify(issue.input)} is a name of a total; expected a vendor, such as google` },
  ),
  api: choice('anthropic', 'openai', 'gemini'),
  model: text(/^[!-~]{1,200}$/, "the provider's name of the model").optional(),
  base_url: z
    .string({ error: 'expected an address starting with https:// or http://' })
    .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
      error: 'expected an address starting with https:// or http://', // never shown: it may contain a password
    })
    .optional(),
  key_env: z
    .string({ error: 'expected the name of a variable' })
    .regex(/^[A-Z][A-Z0-9_]{2,63}$/, {
      error: 'expected the name of the variable that holds the key (capitals, digits, _), never the key itself',
    })
    .optional(),
  context_tokens: int(1_000, 100_000_000),
  max_output_tokens: int(1, 100_000_000),
  price: z.union([z.literal('free-local'), price], {
    error: (issue) =>
      `expected { input, output } in dollars a million tokens, or "free-local", got ${shown(issue.input)}`,
  }),
  limits: object({
    rpm: int(1, 10_000_000).optional(),
    itpm: int(1, 2_000_000_000).optional(),
    otpm: int(1, 2_000_000_000).optional(),
    concurrent: int(1, 10_000).optional(),
  }).optional(),
  abilities: object({
    tools: yesNo.default(false),
    schema: yesNo.default(false),
    thinking: yesNo.default(false),
    images: yesNo.default(false),
  }),
  since: text(/^\d{4}-\d{2}-\d{2}$/, 'a day, YYYY-MM-DD').refine(isDay, { error: 'expected a day of the calendar' }),
})
  .refine((row) => row.max_output_tokens <= row.context_tokens, {
    when: () => true, // also beside other wrong fields, so that all are named at once
    path: ['max_output_tokens'],
    error: 'expected at most context_tokens: a reply is part of the window',
  })
  .refine((row) => row.price !== 'free-local' || row.base_url !== undefined || isKeyless(row.vendor), {
    when: () => true,
    path: ['base_url'],
    error: 'expected the address of the server of a free-local model, got nothing',
  })
  .refine((row) => row.price === 'free-local' || row.base_url !== undefined || hasAddress(row.vendor, row.api), {
    when: () => true,
    path: ['base_url'],
    error: 'expected the address of this vendor, got nothing: the fleet knows none for it with this api',
  })
  .refine((row) => row.price === 'free-local' || row.key_env !== undefined || findVendor(row.vendor) !== undefined, {
    when: () => true,
    path: ['key_env'],
    error: 'expected the variable that holds the key of this vendor, got nothing: the fleet knows none for it',
  });

function hasAddress(vendor: string, api: string): boolean {
  return Object.hasOwn(findVendor(vendor)?.addresses ?? {}, api);
}

/** A server without a key is one of the operator's own. */
function isKeyless(vendor: string): boolean {
  return findVendor(vendor)?.keyEnv === null;
}

function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}
