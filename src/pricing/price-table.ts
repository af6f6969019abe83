import { ANTHROPIC_ROWS } from './rows/anthropic.ts';
import { DEEPSEEK_ROWS } from './rows/deepseek.ts';
import { GOOGLE_ROWS } from './rows/google.ts';
import { MISTRAL_ROWS } from './rows/mistral.ts';
import { OPENAI_ROWS } from './rows/openai.ts';
import type { PriceRow } from './rows/types.ts';

/**
 * The fleet's own dated price list: the current models of each vendor, and the 4.5 generation of Claude. Each file names its
 * sources. A new price is a new row with its own `since`, never an edit: booked costs can be explained later.
 */
export const PRICE_TABLE: readonly PriceRow[] = [
  ...ANTHROPIC_ROWS,
  ...GOOGLE_ROWS,
  ...OPENAI_ROWS,
  ...DEEPSEEK_ROWS,
  ...MISTRAL_ROWS,
];
