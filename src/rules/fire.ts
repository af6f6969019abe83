import { hash, randomUUID } from 'node:crypto';
import type { Queue } from 'bullmq';
import { MOST_ID, readOrigin, toOwnRules, type ChainLink } from '../../queues/origin.ts';
import { toOwner } from '../../queues/owner.ts';
import type { TaskInput } from '../../queues/tasks.ts';
import { UsageError } from '../errors.ts';
import type { Db } from '../redis/db.ts';
import { checkTask } from '../tasks/check.ts';
import { createProducer, type Producer } from '../tasks/enqueue.ts';
import { readKnownNames, type KnownNames, type Configured } from '../tasks/known-names.ts';
import { toWellFormedJson } from '../text/well-formed.ts';
import { parseFiring, toParkedText, type Firing } from './chains.ts';
import type { SeenFinding } from './past.ts';
import { changeRule, loadRule, type LoadedRule } from './store.ts';
import { fillTemplate } from './template.ts';
import type { RuleTrial } from './types.ts';

/** Parked chains of a swarm. A finding beyond them fires nothing, as beyond `maxPerDay`: `replay` takes it up. */
const MOST_PARKED = 10_000;
/** Findings in one script, which Redis runs alone. */
const CHUNK = 100;
/** What a task is checked against may be so old, ms. Before a task is refused, it is read anew. */
const KNOWN_FOR_MS = 5_000;

export type FireOutcome = RuleTrial['outcome'];

interface PendingTask {
  taskId: string;
  firing: Firing;
}

export interface Firer {
  /**
   * Starts the rule's task for each of these findings, or parks its chain: each pair once, for ever, whatever is killed meanwhile.
   * @returns one outcome a finding; null: the rule was changed meanwhile, and nothing was done for some of them
   */
  fire(rule: LoadedRule, findings: readonly SeenFinding[]): Promise<FireOutcome[] | null>;
  /** Adds the tasks that a process had noted when it died, and those of released chains. @returns how many */
  addPending(): Promise<number>;
}

export interface FirerParts {
  db: Db;
  queue: Queue;
  /** Workspaces of this process' own configuration. */
  configured: Configured;
  currentSession(): Promise<string>;
}

/** Returns the id of the task that a rule starts for a finding: always the same one. */
export function toTaskId(rule: string, finding: string): string {
  return `when-${rule}-${hash('sha256', JSON.stringify([rule, finding])).slice(0, 16)}`;
}

/** Returns what a rule would start for a finding. */
export function toFiring(rule: LoadedRule, { id, finding }: SeenFinding): Firing {
  const input: TaskInput = {
    ...rule.task,
    description: fillTemplate(rule.task.description, finding, id),
    // The task can read findings of its own memory shard alone.
    ...toOwner({ shard: rule.task.shard ?? (rule.match.swarm === undefined ? finding.shard : undefined) }),
  };
  const chain = [...toChain(rule, finding.origin), { rule: rule.name, finding: id }];
  return {
    rule: rule.name,
    finding: id,
    chain,
    input,
    ...(rule.client === null ? {} : { client: rule.client }),
    ...(finding.vendors === undefined ? {} : { vendors: finding.vendors }),
    max_depth: rule.maxDepth,
  };
}

/** The chain that led to a finding. Rules and findings of another swarm are named with it. */
function toChain({ match: { swarm } }: LoadedRule, given: unknown): ChainLink[] {
  const chain = readOrigin(given)?.chain ?? [];
  const abroad = (name: string): string => (swarm === undefined || name.includes('/') ? name : `${swarm}/${name}`);
  return chain.map(({ rule, finding }) => ({ rule: abroad(rule), finding: abroad(finding) }));
}

export function createFirer({ db, queue, configured, currentSession }: FirerParts): Firer {
  const { redis, keys, scripts, clock } = db;
  const producer = createProducer(db, queue);
  let known: { names: KnownNames; readAt: number } | null = null;

  async function readKnown(isFresh: boolean): Promise<KnownNames> {
    if (isFresh || known === null || performance.now() - known.readAt > KNOWN_FOR_MS)
      known = { names: await readKnownNames(db, configured), readAt: performance.now() };
    return known.names;
  }

  async function fire(rule: LoadedRule, findings: readonly SeenFinding[]): Promise<FireOutcome[] | null> {
    const outcomes: FireOutcome[] = [];
    for (let from = 0; from < findings.length; from += CHUNK) {
      const some = await fireChunk(rule, findings.slice(from, from + CHUNK));
      if (some === null) return null;
      outcomes.push(...some);
    }
    return outcomes;
  }

  async function fireChunk(rule: LoadedRule, findings: readonly SeenFinding[]): Promise<FireOutcome[] | null> {
    const all = findings.map((seen) => ({ taskId: toTaskId(rule.name, seen.id), firing: toFiring(rule, seen) }));
    const names = [...new Set(all.flatMap(({ firing }) => toOwnRules(firing)))];
    const answers = await scripts['fire-rule'](
      {
        rule: keys.rule(rule.name),
        fired: keys.ruleFired(rule.name),
        pending: keys.rulesPending,
        parked: keys.rulesParked,
        activity: keys.begun, // as many as the tasks that begin: they must not push the halts of yesterday out
        spends: names.map((name) => keys.spend(`rule:${name}`)),
      },
      [
        toWellFormedJson({
          call: randomUUID().slice(0, 8),
          name: rule.name,
          version: rule.version,
          max: rule.maxPerDay ?? 0,
          once: rule.oncePer,
          most_parked: MOST_PARKED,
          items: all.map(({ taskId, firing }) => ({
            task: taskId,
            finding: firing.finding,
            ...(firing.chain.length > rule.maxDepth ? { deep: '1' } : {}),
            spends: toOwnRules(firing).map((name) => names.indexOf(name) + 1),
          })),
        }),
        ...all.map(({ firing }) => toWellFormedJson(firing)),
      ],
    );
    if (answers[0] === 'stale') return null;
    const outcomes = answers.map((answer): FireOutcome =>
      answer === 'fire' ? 'fires' : (String(answer) as FireOutcome),
    );
    const refused = await addTasks(all.filter((_, i) => outcomes[i] === 'fires'));
    return all.map(({ taskId }, i) => (refused.has(taskId) ? 'parked' : (outcomes[i] ?? 'known')));
  }

  /** Adds tasks that are noted as pending. One that breaks a rule of tasks is parked. @returns the ids of those */
  async function addTasks(tasks: readonly PendingTask[]): Promise<Set<string>> {
    const parked = new Set<string>();
    for (const group of groupBy(tasks, ({ firing }) => firing.client ?? '').values()) {
      for (let from = 0; from < group.length; from += CHUNK)
        for (const taskId of await addChunk(group.slice(from, from + CHUNK))) parked.add(taskId);
    }
    return parked;
  }

  /** @returns ids of those that were parked */
  async function addChunk(tasks: readonly PendingTask[]): Promise<string[]> {
    const results = await addTo(producer, tasks, await readKnown(false));
    const refused = tasks.filter((_, i) => results[i] instanceof UsageError);
    // What the task names may have come since this process looked.
    const again = refused.length === 0 ? [] : await addTo(producer, refused, await readKnown(true));
    const problems = new Map(refused.map(({ taskId }, i) => [taskId, again[i]]));
    const parked: string[] = [];
    for (const { taskId, firing } of refused) {
      const problem = problems.get(taskId);
      if (!(problem instanceof UsageError)) continue;
      await parkInvalid(taskId, firing, problem);
      parked.push(taskId);
    }
    const added = tasks.filter(({ taskId }) => !(problems.get(taskId) instanceof UsageError));
    if (added.length > 0) await redis.hdel(keys.rulesPending, ...added.map(({ taskId }) => taskId));
    return parked;
  }

  async function addTo(to: Producer, tasks: readonly PendingTask[], names: KnownNames): Promise<unknown[]> {
    const client = tasks[0]?.firing.client;
    const results: unknown[] = tasks.map(({ firing }) => findChainProblem(firing));
    const sound = tasks.filter((_, i) => results[i] === null);
    const added = await to.addChunk(
      sound.map(({ taskId, firing }) => ({
        input: firing.input,
        taskId,
        origin: { chain: firing.chain },
        vendors: firing.vendors,
      })),
      names,
      { session: await currentSession(), ...toOwner({ client }) },
    );
    return results.map((problem) => problem ?? added.shift());
  }

  /** Parks a task that cannot be added. Its rule is paused if that is the rule's fault: what one finding holds stops no rule. */
  async function parkInvalid(taskId: string, firing: Firing, { message }: UsageError): Promise<void> {
    const rule = await loadRule(db, firing.rule);
    const isRules = rule !== null && !(await isValid(rule.task));
    const isFull = (await redis.hlen(keys.rulesParked)) >= MOST_PARKED;
    const text = toParkedText('invalid', clock.now(), { ...firing, problem: message });
    const change = redis.multi().hdel(keys.rulesPending, taskId);
    if (isFull) change.zrem(keys.ruleFired(firing.rule), firing.finding);
    else change.hset(keys.rulesParked, taskId, text);
    await change.exec();
    if (isRules) await changeRule(db, firing.rule, 'paused', `its task breaks a rule: ${message}`);
  }

  async function isValid(task: TaskInput): Promise<boolean> {
    try {
      await checkTask(task, await readKnown(false)); // read anew just before
      return true;
    } catch (error) {
      if (error instanceof UsageError) return false;
      throw error;
    }
  }

  async function addPending(): Promise<number> {
    const held = Object.entries(await redis.hgetall(keys.rulesPending));
    const tasks = held.flatMap(([taskId, text]) => {
      const firing = parseFiring(text);
      return firing === null ? [] : [{ taskId, firing }];
    });
    await addTasks(tasks);
    return tasks.length;
  }

  return { fire, addPending };
}

/** A chain that no reader of tasks and findings understands would count as none: its task would run outside all limits of rules. */
function findChainProblem({ chain }: Firing): UsageError | null {
  if (readOrigin({ chain }) !== undefined) return null;
  return new UsageError(`finding: an id of its chain is longer than a chain holds, ${MOST_ID} characters`);
}

function groupBy<T>(items: readonly T[], toName: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(toName(item), [...(groups.get(toName(item)) ?? []), item]);
  return groups;
}
