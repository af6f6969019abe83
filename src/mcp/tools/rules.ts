import { z } from 'zod';
import { UsageError } from '../../errors.ts';
import { formatUsd } from '../../pricing/money.ts';
import { ONCE_PER, type PastReport, type RuleInput, type RuleState } from '../../rules/types.ts';
import { describeChain, describeLimits, describeMatch, toRuleCost } from '../../status/describe-rules.ts';
import { toOneLine } from '../../text/one-line.ts';
import { toMaterial } from '../../text/quoting/material.ts';
import { fitLines, PAGE_TOKENS } from '../answer/pages.ts';
import { onlyGiven } from '../tool/only-given.ts';
import { defineTool, type ToolCall } from '../tool/types.ts';

const text = z.string().optional(); // the rules check them
const when = z.strictObject({
  topic: text,
  kind: text,
  session: text,
  mission: text,
  grep: text,
  from: text.describe('worker, or haiku_*'),
  swarm: text,
});

const input = z.strictObject({
  action: z.enum(['show', 'try', 'add', 'pause', 'resume', 'replay', 'remove']),
  name: z.string(),
  when: when.optional().describe('findings that fit all of it'),
  task: z.unknown().optional().describe('its description, with {finding.id}, {finding.summary} …, or a whole task'),
  budget_usd: z.number().optional().describe('all that it may cost'),
  max_per_day: z.int().optional(),
  max_depth: z.int().optional(),
  once_per: z.enum(ONCE_PER).optional(),
  since: z.string().optional().describe('7d, 12h: past findings, too'),
  limit: z.int().min(1).max(1_000).default(50),
  confirm: z.boolean().optional(),
});
type Given = z.output<typeof input>;

const output = z.object({
  name: z.string(),
  state: z.string().optional(),
  problem: z.string().optional(),
  fired: z.number().optional(),
  parked: z.number().optional(),
  spent_usd: z.string().optional(),
  looked_at: z.number().optional(),
  fits: z.number().optional(),
  fires: z.number().optional(),
  next: z.string().optional(),
  material: z.string().optional(),
});

/** Lets findings start tasks. */
export const rules = defineTool({
  name: 'rules',
  title: 'Rules',
  description:
    'A rule starts a task for each finding that fits, also while you are away, once for each. try: what it would do with past findings; replay: past findings now. The task is shown the finding and cites it. status lists rules.',
  needs: 'delegate',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  input,
  output,
  async run(call, given) {
    const { fleet } = call;
    const { action, name } = given;
    const past = onlyGiven({ since: given.since, limit: given.limit, signal: call.signal });
    if (action !== 'show' && action !== 'try' && action !== 'add') await assertOwnRule(call, name);
    switch (action) {
      case 'show':
        return show(call, name);
      case 'try': {
        const rule = given.when === undefined && given.task === undefined ? name : toRule(given);
        return describePast(call, name, { report: await fleet.rules.dryRun(rule, past), isDryRun: true });
      }
      case 'add':
        assertConfirmed(call, given);
        return describeRule(await fleet.when(name, toRule(given)));
      case 'pause':
        return describeRule(await fleet.rules.pause(name));
      case 'resume':
        return describeRule(await fleet.rules.resume(name));
      case 'replay':
        return describePast(call, name, { report: await fleet.rules.replay(name, past), isDryRun: false });
      case 'remove':
        await fleet.rules.remove(name);
        return { name, state: 'removed' };
    }
  },
});

function toRule({ action, when: match, task, since, ...given }: Given): RuleInput {
  if (match === undefined)
    throw new UsageError(`rules: ${action} needs \`when\`: which findings, such as {"topic": "broken"}`);
  if (task === undefined && action !== 'try') throw new UsageError('rules: add needs `task`: what is to be done');
  const { budget_usd: budgetUsd, max_per_day: maxPerDay, max_depth: maxDepth, once_per: oncePer } = given;
  return {
    match: onlyGiven(match),
    task: (task ?? '{finding.summary}') as RuleInput['task'], // which findings fit can be tried before there is a task
    ...onlyGiven({ budgetUsd, maxPerDay, maxDepth, oncePer }),
    // A trial looks at the past by itself; only a rule that is added begins there.
    ...(action === 'add' ? onlyGiven({ since }) : {}),
  };
}

/** Nobody sees a rule spend: it needs a budget that is small, or a caller who says that they know. */
function assertConfirmed({ fleet }: ToolCall, { budget_usd: budget = Infinity, confirm }: Given): void {
  const limit = fleet.inner.config.FLEET_MCP_CONFIRM_USD;
  if (confirm === true || budget <= limit) return;
  throw new UsageError(
    `rules: it spends while nobody looks; try it first, then give budget_usd of at most ${limit}, or confirm: true`,
  );
}

/** @throws UsageError where a client of role delegate would change the rule of another */
async function assertOwnRule({ fleet, client, role }: ToolCall, name: string): Promise<void> {
  if (client === null || role !== 'delegate') return;
  const { client: owner } = await fleet.rules.show(name);
  if (owner === client) return;
  const whose = owner === null ? 'of no client' : `of client ${owner}`;
  throw new UsageError(`rules: rule ${name} is ${whose}; a token of role delegate changes only its own work`);
}

async function show({ fleet, redact }: ToolCall, name: string) {
  const [rule, chains] = await Promise.all([fleet.rules.show(name), fleet.rules.parked(name)]);
  const lines = [
    `when ${describeMatch(rule.match)}: ${describeLimits(rule)}`,
    `task ${toOneLine(redact(rule.task.description), 1_500)}`,
    ...chains.map(({ why, detail, chain }) =>
      toOneLine(redact(`parked (${why}: ${detail}) ${describeChain(chain)}`), 600),
    ),
  ];
  return {
    ...describeRule(rule),
    ...(chains.length === 0 ? {} : { next: `tell the person: fleet when release ${name}` }),
    material: toMaterial(`rule ${name}`, fitLines(lines, PAGE_TOKENS - 600).join('\n')),
  };
}

function describeRule(rule: RuleState) {
  const { name, state, problem, fired, parked } = rule;
  return {
    name,
    state,
    ...(problem === null ? {} : { problem: toOneLine(problem, 300) }),
    fired,
    ...(parked === 0 ? {} : { parked }),
    spent_usd: formatUsd(toRuleCost(rule), 4),
  };
}

function describePast(
  { redact }: ToolCall,
  name: string,
  { report: { lookedAt, trials, isCut }, isDryRun }: { report: PastReport; isDryRun: boolean },
) {
  const lines = trials.map(({ finding, at, outcome, summary }) =>
    toOneLine(redact(`${finding} ${at.slice(0, 16)}Z ${outcome} | ${summary}`), 240),
  );
  const [first] = trials;
  const example =
    isDryRun && first !== undefined ? [`The first task: ${toOneLine(redact(first.description), 1_500)}`] : [];
  return {
    name,
    looked_at: lookedAt,
    fits: trials.length,
    fires: trials.filter(({ outcome }) => outcome === 'fires').length,
    ...(isCut ? { next: 'a higher limit shows more' } : {}),
    ...(lines.length === 0
      ? {}
      : { material: toMaterial('findings that fit', fitLines([...example, ...lines], PAGE_TOKENS - 600).join('\n')) }),
  };
}
