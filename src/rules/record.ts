import { z } from 'zod';
import { budgetUsdSchema, findClientNameProblem } from '../../queues/owner.ts';
import { taskInputSchema, type TaskInput } from '../../queues/tasks.ts';
import { UsageError } from '../errors.ts';
import { parseRecord } from '../redis/stored-record.ts';
import { assertWords } from './template.ts';
import { ONCE_PER, type Rule, type RuleInput, type RuleMatch } from './types.ts';

/** Chains of rules that are longer lead nowhere. */
const DEEPEST = 20;
const MOST_A_DAY = 1_000_000;
const LONGEST_TEXT = 1_000;

/** Words that follow `fleet when`: a rule of such a name could not be told from the command. */
const VERBS = new Set('ls list show pause resume rm remove replay release drop parked help'.split(' '));

const textSchema = z.string().trim().min(1, 'expected words, got none').max(LONGEST_TEXT);
const matchSchema = z.strictObject({
  topic: textSchema.optional(),
  kind: textSchema.optional(),
  session: textSchema.optional(),
  mission: textSchema.optional(),
  grep: textSchema.optional(),
  from: textSchema.optional(),
  swarm: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected the name of a swarm')
    .optional(),
});
const inputSchema = z.strictObject({
  match: matchSchema.refine((match) => Object.keys(match).some((name) => name !== 'swarm'), {
    message: 'expected at least one of topic, kind, session, mission, grep and from',
  }),
  task: z.union([z.string(), z.looseObject({})]),
  budgetUsd: budgetUsdSchema.optional(),
  maxPerDay: z.int().min(1).max(MOST_A_DAY).optional(),
  maxDepth: z.int().min(1).max(DEEPEST).optional(),
  oncePer: z.enum(ONCE_PER).optional(),
  since: z.string().optional(),
});

/** What is stored of a rule, as JSON. Unknown fields of a later version are ignored. */
const recordSchema = z.object({
  match: z.object(matchSchema.shape),
  task: z.object(taskInputSchema.shape),
  budget_usd: z.number().optional(),
  max_per_day: z.number().optional(),
  max_depth: z.number(),
  once_per: z.enum(ONCE_PER).catch('finding'),
  since: z.string().optional(),
  client: z.string().optional(),
});
type RuleRecord = z.output<typeof recordSchema>;

/** @throws UsageError */
export function assertRuleName(name: string): void {
  const problem =
    findClientNameProblem(name) ??
    (VERBS.has(name) ? `${JSON.stringify(name)} is a word of the command; choose another name` : null);
  if (problem !== null) throw new UsageError(`rule: ${problem}`);
}

/** A rule as a caller gave it, checked, but for its task's rules. */
export type CheckedRule = Omit<RuleInput, 'task'> & { task: TaskInput };

/** @throws UsageError naming the field, the rule and the value */
export function checkRule(input: RuleInput): CheckedRule {
  const parsed = inputSchema.safeParse(input);
  if (!parsed.success) throw new UsageError(`rule: ${toProblem(parsed.error, input)}`);
  const { match, task: _task, ...rest } = parsed.data;
  const task = typeof input.task === 'string' ? { description: input.task } : input.task;
  if (task.finding_id !== undefined)
    throw new UsageError('rule: task: finding_id: each task of a rule has an id of its own; leave it out');
  if (typeof task.description === 'string') assertWords(task.description);
  return { ...withoutUndefined(rest), match: withoutUndefined(match), task };
}

/** The JSON that is stored; the same rule has the same. */
export function toRecordText(rule: CheckedRule, client: string | undefined): string {
  const { match, task, budgetUsd, maxPerDay, maxDepth = 1, oncePer = 'finding', since } = rule;
  return JSON.stringify({
    match,
    task,
    budget_usd: budgetUsd,
    max_per_day: maxPerDay,
    max_depth: maxDepth,
    once_per: oncePer,
    since,
    client,
  } satisfies { [Name in keyof RuleRecord]: RuleRecord[Name] | undefined });
}

/** Returns the rule of a hash as Redis holds it. @returns null: there is none, or it is damaged */
export function parseRule(name: string, hash: Record<string, string>): Rule | null {
  const record = recordSchema.safeParse(parseRecord(hash['record'])).data;
  if (record === undefined) return null;
  return {
    name,
    match: withoutUndefined(record.match) as RuleMatch,
    task: withoutUndefined(record.task) as TaskInput,
    maxPerDay: record.max_per_day ?? null,
    maxDepth: record.max_depth,
    oncePer: record.once_per,
    client: record.client ?? null,
    createdAt: new Date(Number(hash['created'] ?? 0) || 0).toISOString(),
  };
}

/** The first rule that is broken, with its field and value. */
function toProblem(error: z.ZodError, input: unknown): string {
  const [issue] = error.issues;
  const path = (issue?.path ?? []).map(String);
  const field = path.join('.');
  const value: unknown = path.reduce<unknown>((held, part) => Reflect.get(Object(held), part), input);
  const known = issue?.code === 'unrecognized_keys' ? '; known are the fields of the documentation' : '';
  return `${field === '' ? '' : `${field}: `}${issue?.message ?? 'not understood'}${known}${
    value === undefined || typeof value === 'object' ? '' : `, got ${JSON.stringify(value)}`
  }`;
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined)) as Partial<T>;
}
