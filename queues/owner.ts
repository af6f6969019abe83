import { z } from 'zod';

/** Rule for names of clients, which are parts of keys, tokens and command lines. */
const CLIENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

/** Name of a memory shard, as a caller gives it. */
export const shardNameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\s:{}]+$/, 'no white space, colon or brace');

/** The least budget above nothing, US dollars: a nano-dollar. Less would be stored as nothing. */
const LEAST_BUDGET_USD = 1e-9;

/** The rule that `isTooSmallBudget` checks. */
export const LEAST_BUDGET_RULE = 'expected at least 0.000000001 dollars';

/** Whether a budget is above nothing, and would be stored as nothing. */
export function isTooSmallBudget(usd: number): boolean {
  return usd > 0 && usd < LEAST_BUDGET_USD;
}

/** The budget of a task, mission or rule, US dollars, as a caller gives it. */
export const budgetUsdSchema = z
  .number('expected dollars above 0, such as 0.50')
  .positive({ error: 'expected dollars above 0', abort: true })
  .min(LEAST_BUDGET_USD, LEAST_BUDGET_RULE)
  .max(1_000_000, 'expected at most 1000000 dollars');

/** Of what a client and a memory shard own: jobs, findings, ledger rows. */
export interface Owner {
  /** Name of the client that pays. Absent: no client. */
  client?: string;
  /** Name of the memory shard. Absent: none. */
  shard?: string;
}

/** On whose behalf a process changes things, for the audit. */
export interface Actor {
  /** Name of the login or of the client, or `user@host`. */
  who: string;
  from: 'page' | 'cli' | 'mcp' | 'bull-board' | 'script';
  /** Name of the client that it acts for. Null: none. */
  client: string | null;
  /** Called with a sentence where a change is made and could not be noted. Default: a warning of the process. */
  onLost?: (problem: string, error: unknown) => void;
}

/** The stamp of a job's client, in its stored data. Another version or program may have stored anything: it counts as none. */
export const clientStampSchema = z.string().max(200).optional().catch(undefined);

/** Returns only those of the two that are set, so that nothing is stored of work without them. */
export function toOwner({ client, shard }: { client?: unknown; shard?: unknown }): Owner {
  const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
  return { ...(isName(client) ? { client } : {}), ...(isName(shard) ? { shard } : {}) };
}

/** Returns the rule that a client's name breaks, for a message; null: none. */
export function findClientNameProblem(name: string): string | null {
  if (CLIENT_NAME.test(name)) return null;
  if (name === '') return 'expected a name, got ""';
  if (name.length > 40) return `expected at most 40 characters, got ${name.length}`;
  if (/\s/.test(name)) return `expected no white space, got ${JSON.stringify(name)}`;
  if (/^[._-]/.test(name)) return `expected a letter or digit first, got ${JSON.stringify(name)}`;
  const wrong = /[^A-Za-z0-9._-]/u.exec(name)?.[0] ?? '';
  return `expected letters (a to z), digits, dot, underscore or dash; ${JSON.stringify(wrong)} in ${JSON.stringify(name)} is none of these`;
}
