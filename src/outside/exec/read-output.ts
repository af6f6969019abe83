import { z } from 'zod';
import type { Unmetered } from '../check-options.ts';
import { parseResult } from '../parse-result.ts';

/**
 * What Claude Code prints with `--output-format json`.
 * https://docs.claude.com/en/docs/claude-code/headless#output-formats
 */
const claudeSchema = z.object({
  type: z.literal('result'),
  result: z.string().optional(),
  is_error: z.boolean().optional(),
  subtype: z.string().optional(),
  total_cost_usd: z.number().min(0).optional().catch(undefined),
  usage: z
    .object({
      input_tokens: z.int().min(0).default(0),
      cache_creation_input_tokens: z.int().min(0).default(0),
      cache_read_input_tokens: z.int().min(0).default(0),
      output_tokens: z.int().min(0).default(0),
    })
    .optional()
    .catch(undefined),
});

export type ProgramAnswer = { result: unknown; unmetered: Unmetered } | { failure: string };

const UNKNOWN: Unmetered = { input: null, output: null, costUsd: null };

/** Reads what a program printed: its whole output is the result; of Claude Code's JSON, the result in it. */
export function readOutput(output: string): ProgramAnswer {
  const result = parseResult(output);
  if (result === '') return { failure: 'the program printed nothing' };
  const claude = claudeSchema.safeParse(result).data;
  if (claude === undefined) return { result, unmetered: UNKNOWN };
  const { usage, total_cost_usd: costUsd = null } = claude;
  if (claude.is_error === true || claude.result === undefined) {
    return { failure: `claude: ${claude.subtype ?? 'error'}: ${claude.result ?? 'no result'}` };
  }
  const input =
    usage === undefined ? null : usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
  return {
    result: parseResult(claude.result),
    unmetered: { input, output: usage?.output_tokens ?? null, costUsd },
  };
}
