import type { Queue } from 'bullmq';
import type { QueueName } from '../../queues/registry.ts';
import { toFieldChanges } from '../audit/field-changes.ts';
import { noteChange, toNamed } from '../audit/note-change.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { formatLimit } from '../ledger/budget.ts';
import type { Db } from '../redis/db.ts';
import { checkTask } from '../tasks/check.ts';
import { readKnownNames, type Configured } from '../tasks/known-names.ts';
import { countChains, dropChains, eachChain, toParkedChain } from './chains.ts';
import { createFirer, toFiring, type FireOutcome } from './fire.ts';
import { isMatch } from './match.ts';
import { beginPast, readPast, readSeen, toKnownId, type SeenFinding } from './past.ts';
import { readPlace } from './place.ts';
import { assertRuleName, checkRule } from './record.ts';
import { parseSince } from './since.ts';
import { assertRule, changeRule, loadRule, readRuleStates, saveRule, type LoadedRule } from './store.ts';
import { createTrials, toTrial, toUnsaved } from './trial.ts';
import type { ChainSelection, ParkedChain, PastOptions, PastReport, RuleInput, Rules, RuleState } from './types.ts';

const DEFAULT_TRIALS = 100;
const MOST_TRIALS = 10_000;

/** Name of a rule that is tried without being stored: no rule can have it. */
const UNNAMED = '-';

/** Opens another swarm to read. @throws UsageError with the rule that forbids it, or because it cannot be reached */
type OpenSwarm = (name: string) => Promise<{ db: Db; url: string }>;

export interface RulesParts {
  db: Db;
  queues: Record<QueueName, Queue>;
  /** Workspaces of this process' own configuration. */
  configured: Configured;
  currentSession(): Promise<string>;
  /** Who makes the rules, and pays for their tasks. Default: no client. */
  client?: string | undefined;
  /** Default: no rule can watch another swarm. */
  openSwarm?: OpenSwarm;
}

/** Creates the rules of a swarm. They run in a coordinator or worker (`watchRules`): a rule that is made while none is up misses nothing. */
export function createRules(parts: RulesParts): Rules {
  const { db, client } = parts;
  const { clock, scripts, keys } = db;
  const openFirer = () => createFirer({ ...parts, queue: parts.queues.tasks });

  async function show(name: string): Promise<RuleState> {
    await assertRule(db, name);
    const [state] = await readRuleStates(db, [name], await countChains(db));
    if (state === undefined)
      throw new NotFoundError(`rule ${name}: its record ${keys.rule(name)} is damaged; fleet when rm ${name} ends it`);
    return state;
  }

  async function change(name: string, to: 'paused' | 'active'): Promise<RuleState> {
    if (await changeRule(db, name, to)) {
      const [what, was] = to === 'paused' ? (['rule-pause', 'active'] as const) : (['rule-resume', 'paused'] as const);
      await noteChange(db, { what, about: { rule: name }, before: { state: was }, after: { state: to } });
    }
    return show(name);
  }

  /** What is stored of a rule; null: there is none, or it is damaged. */
  async function find(name: string): Promise<RuleState | null> {
    return (await readRuleStates(db, [name], new Map()))[0] ?? null;
  }

  async function noteRule(name: string, before: RuleState | null, after: RuleState): Promise<void> {
    const changes = toFieldChanges(before && toAudited(before), toAudited(after));
    if (Object.keys(changes.after).length === 0) return;
    const was = before === null ? null : changes.before;
    await noteChange(db, { what: 'rule-add', about: { rule: name }, before: was, after: changes.after });
  }

  /** Checks a rule as it would be stored. */
  async function check(input: RuleInput) {
    const rule = checkRule(input);
    await checkTask(rule.task, await readKnownNames(db, parts.configured));
    if (rule.since !== undefined) parseSince(rule.since, clock.now());
    return rule;
  }

  async function toSource({ match: { swarm } }: Pick<LoadedRule, 'match'>): Promise<{ db: Db; url: string | null }> {
    if (swarm === undefined) return { db, url: null };
    if (parts.openSwarm === undefined) throw new UsageError(`swarm ${swarm}: this process reads no other swarm`);
    return parts.openSwarm(swarm);
  }

  /** Lets `decide` see the findings of the past that fit, in pages. */
  async function look(
    rule: LoadedRule,
    options: PastOptions,
    decide: (findings: SeenFinding[]) => Promise<FireOutcome[]>,
  ): Promise<PastReport> {
    const { limit = DEFAULT_TRIALS, since, signal } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_TRIALS)
      throw new UsageError(`limit: expected a whole number 1..${MOST_TRIALS}, got ${limit}`);
    const source = await toSource(rule);
    const { swarm } = rule.match;
    const report: PastReport = { lookedAt: 0, trials: [], isCut: false };
    const seen = new Set<string>();
    let past = beginPast(since === undefined ? 0 : parseSince(since, clock.now()));
    for (;;) {
      signal?.throwIfAborted();
      const { findings, next } = await readPast(source.db, past);
      const fresh = findings.filter(({ id }) => !seen.has(id));
      for (const { id } of fresh) seen.add(id);
      const fit = fresh
        .filter(({ finding }) => isMatch(rule.match, finding))
        .map(({ id, finding }) => ({ id: toKnownId(swarm, id), finding }));
      const some = fit.slice(0, limit - report.trials.length);
      const outcomes = some.length === 0 ? [] : await decide(some);
      report.trials.push(...some.map((one, i) => toTrial(rule, one, outcomes[i] ?? 'known')));
      report.lookedAt = seen.size;
      report.isCut ||= some.length < fit.length;
      if (next === null || report.isCut) return report;
      past = next;
    }
  }

  async function dryRun(given: string | RuleInput, options: PastOptions = {}): Promise<PastReport> {
    const checked = typeof given === 'string' ? null : await check(given);
    const rule = checked === null ? await need(given as string) : toUnsaved(UNNAMED, checked, client);
    const decide = createTrials(rule);
    const since = checked?.since === undefined ? {} : { since: checked.since };
    return look(rule, { ...since, ...options }, async (findings) => {
      const fired = await db.redis.zmscore(keys.ruleFired(rule.name), ...findings.map(({ id }) => id));
      return findings.map((seen, i) => decide(seen, (fired[i] ?? null) !== null));
    });
  }

  async function replay(name: string, options: PastOptions = {}): Promise<PastReport> {
    const firer = openFirer();
    const rule = await need(name);
    const report = await look(rule, options, async (findings) => {
      for (let current: LoadedRule | null = rule; current !== null; current = await loadRule(db, name)) {
        if (current.isPaused) throw new UsageError(`rule ${name}: is paused; fleet when resume ${name}`);
        const outcomes = await firer.fire(current, findings);
        if (outcomes !== null) return outcomes;
      }
      throw new NotFoundError(`rule ${name}: was removed meanwhile`);
    });
    const fired = report.trials.filter(({ outcome }) => outcome === 'fires').length;
    if (fired > 0) await noteChange(db, { what: 'rule-replay', about: { rule: name }, after: { fired } });
    return report;
  }

  async function need(name: string): Promise<LoadedRule> {
    await assertRule(db, name);
    const rule = await loadRule(db, name);
    if (rule === null) await show(name); // throws what is wrong
    return rule as LoadedRule;
  }

  /** @returns null: it is gone, or of a swarm that cannot be read now */
  async function readAgain(rule: LoadedRule, id: string): Promise<SeenFinding | null> {
    const source = await toSource(rule).catch(() => null);
    if (source === null) return null;
    const [seen] = await readSeen(source.db, [id.slice(id.indexOf('/') + 1)]);
    return seen === undefined ? null : { id, finding: seen.finding };
  }

  async function release(selection: ChainSelection): Promise<number> {
    let released = 0;
    for await (const { taskId, text, firing } of eachChain(db, selection)) {
      const rule = await loadRule(db, firing.rule);
      // A rule that was mended meanwhile starts its present task.
      const finding = rule === null ? null : await readAgain(rule, firing.finding);
      const { problem: _problem, ...kept } = firing;
      const now = rule === null || finding === null ? kept : { ...toFiring(rule, finding), chain: firing.chain };
      const answer = await scripts['release-chain'](
        { rule: keys.rule(firing.rule), pending: keys.rulesPending, parked: keys.rulesParked },
        [taskId, text, JSON.stringify(now)],
      );
      if (answer === 'released') released += 1;
    }
    if (released > 0) await openFirer().addPending();
    await noteChains('chains-release', selection, { released });
    return released;
  }

  async function noteChains(
    what: 'chains-release' | 'chains-drop',
    selection: ChainSelection,
    after: { released: number } | { dropped: number },
  ): Promise<void> {
    if (Object.values(after)[0] === 0) return;
    const about = 'rule' in selection ? { rule: selection.rule } : toNamed(selection.taskIds);
    await noteChange(db, { what, about, after });
  }

  return {
    async add(name, input, { replace = false } = {}) {
      assertRuleName(name);
      const rule = await check(input);
      const { db: source } = await toSource(rule);
      const before = await find(name);
      await saveRule(db, name, rule, { client, replace, cursor: await readPlace(source) });
      const after = await show(name);
      await noteRule(name, before, after);
      return after;
    },
    async list() {
      const names = await db.redis.zrange(keys.rules, '0', '-1');
      return readRuleStates(db, names.toSorted(), await countChains(db));
    },
    show,
    pause: (name) => change(name, 'paused'),
    resume: (name) => change(name, 'active'),
    async remove(name) {
      const before = await find(name);
      await changeRule(db, name, 'gone');
      const dropped = await dropChains(db, { rule: name });
      const was = before === null ? null : { state: before.state, fired: before.fired, chains: dropped };
      await noteChange(db, { what: 'rule-remove', about: { rule: name }, before: was });
      return { dropped };
    },
    dryRun,
    replay,
    async parked(name) {
      const chains: ParkedChain[] = [];
      for await (const chain of eachChain(db, name === undefined ? null : { rule: name }))
        chains.push(toParkedChain(chain));
      return chains.sort((a, b) => a.parkedAt.localeCompare(b.parkedAt));
    },
    release,
    async drop(selection) {
      const dropped = await dropChains(db, selection);
      await noteChains('chains-drop', selection, { dropped });
      return dropped;
    },
  };
}

/** What a person gave, for the audit: not what the rule did. */
function toAudited({ state, match, task, maxPerDay, maxDepth, oncePer, budgetNanoUsd }: RuleState): object {
  return { state, when: match, ...task, budget: formatLimit(budgetNanoUsd), maxPerDay, maxDepth, oncePer };
}
