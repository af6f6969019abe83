import { formatUsd } from '../../../pricing/money.ts';
import type { ParkedChain, RuleState } from '../../../rules/types.ts';
import { describeChain, describeLimits, describeMatch, toRuleCost } from '../../../status/describe-rules.ts';
import { countOf, formatCount } from '../../../text/plural.ts';
import { escapeControls } from '../../../text/without-controls.ts';
import { assertOnly } from '../../input/only-options.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { describeBudget } from '../../../ledger/budget.ts';
import { fitLine, lineWidth, printJson, renderTable } from '../../output/print.ts';

/** Parked chains that `fleet when show` names; `--json` has all. */
const NAMED = 20;

/** Does `fleet when ls`. */
export async function runWhenListCommand(options: { json?: boolean }): Promise<void> {
  assertOnly('when ls', options, ['json']);
  await withFleet(async (fleet) => {
    const rules = await fleet.rules.list();
    if (options.json) return printJson(rules);
    if (rules.length === 0) {
      return console.log('No rules. fleet when NAME --topic T --task "… {finding.summary}" adds one.');
    }
    const head = ['rule', 'state', 'fired', 'today', 'parked', 'cost', 'budget', 'when'];
    console.log(renderTable([head, ...rules.map(toCells)], [2, 3, 4, 5, 6]));
    for (const { name, problem } of rules) if (problem !== null) console.log(`⚠️  ${name}: ${fitLine(problem, 300)}`);
  });
}

function toCells(rule: RuleState): string[] {
  const { name, state, fired, firedToday, parked, budgetNanoUsd, match, catchingUp } = rule;
  return [
    name,
    catchingUp === null || state === 'paused' ? state : 'catching up',
    formatCount(fired),
    formatCount(firedToday),
    formatCount(parked),
    formatUsd(toRuleCost(rule), 4),
    budgetNanoUsd === null ? 'none' : formatUsd(budgetNanoUsd, 4),
    fitLine(describeMatch(match), 60),
  ];
}

/** Does `fleet when show`. */
export async function runWhenShowCommand(name: string, options: { json?: boolean }): Promise<void> {
  assertOnly('when show', options, ['json']);
  await withFleet(async (fleet) => {
    const [rule, chains] = await Promise.all([fleet.rules.show(name), fleet.rules.parked(name)]);
    if (options.json) return printJson({ ...rule, chains });
    for (const line of [...renderRule(rule), ...renderChains(rule, chains)]) console.log(line);
  });
}

function renderRule(rule: RuleState): string[] {
  const { name, match, task, state, problem, skipped, catchingUp, client, createdAt } = rule;
  const {
    budgetNanoUsd: limit,
    settledNanoUsd: settled,
    reservedNanoUsd: reserved,
    uncertainNanoUsd: uncertain,
  } = rule;
  const { description, ...rest } = task;
  const facts: [string, string][] = [
    ['When', describeMatch(match)],
    ['Task', description],
    ...(Object.keys(rest).length === 0 ? [] : [['With', JSON.stringify(rest)] as [string, string]]),
    ['Limits', describeLimits(rule)],
    ['Did', describeDone(rule)],
    ...(skipped.max + skipped.once === 0 ? [] : [['Skipped', describeSkipped(skipped)] as [string, string]]),
    ['Budget', describeBudget({ limit, settled, reserved, uncertain })],
    ...(catchingUp === null
      ? []
      : [
          ['Catches up', `since ${catchingUp.since}, ${countOf(catchingUp.lookedAt, 'finding')} looked at`] as [
            string,
            string,
          ],
        ]),
    ['Made', `${createdAt}${client === null ? '' : ` by client ${client}`}`],
  ];
  return [
    `Rule ${name}: ${state}`,
    ...(problem === null ? [] : [`⚠️  ${fitLine(problem, 600)}`]),
    ...facts.map(([fact, text]) => `${`${fact}:`.padEnd(12)}${indent(escapeControls(text))}`),
  ];
}

function describeDone({ fired, firedToday, lastFinding, lastFiredAt }: RuleState): string {
  if (lastFiredAt === null) return 'nothing yet';
  return `${countOf(fired, 'task')} started, ${firedToday} today; the last for ${lastFinding ?? '?'} at ${lastFiredAt}`;
}

function describeSkipped({ max, once }: RuleState['skipped']): string {
  return [
    ...(max === 0 ? [] : [`${max} over the day’s most (fleet when replay takes them up)`]),
    ...(once === 0 ? [] : [`${once} not the first of their time`]),
  ].join(', ');
}

function renderChains({ name }: RuleState, chains: readonly ParkedChain[]): string[] {
  if (chains.length === 0) return [];
  const lines = chains.slice(0, NAMED).map(({ taskId, chain, why, detail }) => {
    return [`  ${taskId}  ${why}: ${fitLine(detail, lineWidth())}`, `    ${fitLine(describeChain(chain), 2_000)}`];
  });
  const more = chains.length > NAMED ? [`  … ${chains.length - NAMED} more: --json`] : [];
  return [
    `Parked:     ${countOf(chains.length, 'chain')} (fleet when release ${name} starts them, fleet when drop ${name} forgets them)`,
    ...lines.flat(),
    ...more,
  ];
}

/** Further lines of a text stand below its first one. */
function indent(text: string): string {
  return text.split('\n').join(`\n${' '.repeat(12)}`);
}
