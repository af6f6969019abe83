import type { TaskInput } from '../../../queues/tasks.ts';
import type { FindingStore } from '../../findings/types.ts';
import { readBudget, DEFAULT_BUDGET_NANO_USD } from '../../ledger/budget.ts';
import { FREE_LOCAL_RULE } from '../../pricing/free-local.ts';
import { toModelName } from '../../pricing/model-class.ts';
import { toNanoUsd } from '../../pricing/money.ts';
import { allSonnetNanoUsd, costNanoUsd } from '../../pricing/cost.ts';
import { readLedger, toCostReport } from '../../ledger/report/report.ts';
import { addUsage, NO_USAGE } from '../../pricing/tokens.ts';
import type { Catalog, CatalogEntry } from '../../pricing/catalog.ts';
import type { Usage } from '../../../queues/usage.ts';
import type { Db } from '../../redis/db.ts';
import { formatCount } from '../../text/plural.ts';

/** What the tasks will probably cost. Nano-dollars. */
export interface Forecast {
  tasks: number;
  low: number;
  likely: number;
  high: number;
  /** The same tokens on the coordinator's model. */
  allSonnet: number;
  /** That model, for people: `Sonnet`, or its id. */
  comparedWith: string;
  /** Whether all of them go to free local models: their cost is no price. */
  isFreeLocal: boolean;
  /** Where the numbers come from, a sentence for each kind of task. */
  basis: string[];
  /** Of the day's budget. */
  budgetLeft: number;
}

export interface Forecaster {
  /** Counts one task; keeps nothing else of it. */
  add(task: TaskInput): void;
  forecast(): Promise<Forecast>;
}

/** Tasks whose price is estimated together. */
interface Group {
  model: string;
  kind: string;
  workspace: boolean;
  count: number;
  /** Estimated tokens of descriptions and data. */
  tokens: number;
}

/** Cost of one task. */
interface Estimate {
  low: number;
  likely: number;
  high: number;
  allSonnet: number;
  basis: string;
}

/** Newest findings that are read, and the fewest of one kind that an estimate needs. */
const SAMPLE = 500;
const FEWEST = 5;

/** Without a history, tokens: prompt and tools, what a turn adds to the prompt, what it answers. */
const FIXED_TOKENS = 3_500;
const TURN_TOKENS = 1_500;
const REPLY_TOKENS = 300;

export function createForecaster(parts: {
  db: Db;
  findings: FindingStore;
  catalog: Catalog;
  /** Id of the model that a task goes to. */
  modelOf(task: TaskInput): string;
  coordinatorModel: string;
  now: Date;
}): Forecaster {
  const { db, findings, catalog, now } = parts;
  const sonnet = catalog.findPrices(parts.coordinatorModel, now);
  const groups = new Map<string, Group>();

  let builtIn = 0;
  let outside = 0;

  function add(task: TaskInput): void {
    if (task.built_in !== undefined) {
      builtIn += 1;
      return;
    }
    if (task.for === 'outside') {
      outside += 1;
      return;
    }
    const { kind = 'other' } = task;
    const model = parts.modelOf(task);
    const workspace = task.workspace !== undefined;
    const key = JSON.stringify([model, kind, workspace]);
    const group = groups.get(key) ?? { model, kind, workspace, count: 0, tokens: 0 };
    group.count += 1;
    group.tokens += toTokens(task);
    groups.set(key, group);
  }

  async function forecast(): Promise<Forecast> {
    const recent = await findings.list({ limit: SAMPLE });
    const byModel = toCostReport(await readLedger(db), { by: 'model', sonnet, catalog }).rows;
    const total: Forecast = {
      tasks: builtIn + outside,
      low: 0,
      likely: 0,
      high: 0,
      allSonnet: 0,
      comparedWith: toModelName(sonnet),
      isFreeLocal: groups.size > 0 && [...groups.values()].every(({ model }) => catalog.findPrices(model, now).isLocal),
      basis: [
        ...(builtIn === 0 ? [] : [`${formatCount(builtIn)} without a model: free`]),
        ...(outside === 0
          ? []
          : [`${formatCount(outside)} by outside workers: unmetered, no cost of the fleet and no saving`]),
      ],
      budgetLeft: await readBudgetLeft(db, now),
    };
    for (const group of groups.values()) {
      const alike = recent.filter(({ model, kind }) => model === group.model && kind === group.kind);
      const row = byModel.find(({ name }) => name === group.model);
      const estimate =
        alike.length >= FEWEST
          ? fromFindings(group, alike, sonnet)
          : row !== undefined && row.tasks >= FEWEST
            ? fromLedger(group, row)
            : fromAssumption(group, catalog.findPrices(group.model, now), sonnet);
      total.tasks += group.count;
      total.low += estimate.low * group.count;
      total.likely += estimate.likely * group.count;
      total.high += estimate.high * group.count;
      total.allSonnet += estimate.allSonnet * group.count;
      const { isLocal } = catalog.findPrices(group.model, now);
      total.basis.push(`${estimate.basis}${isLocal ? `; ${FREE_LOCAL_RULE}` : ''}`);
    }
    return total;
  }

  return { add, forecast };
}

/** Estimates from the cost of similar tasks. The range leaves out the lowest and the highest tenth. */
function fromFindings(group: Group, alike: { cost?: number; usage?: Usage }[], sonnet: CatalogEntry): Estimate {
  const costs = alike.map(({ cost = 0 }) => toNanoUsd(cost)).sort((a, b) => a - b);
  const costAt = (share: number): number => costs[Math.min(costs.length - 1, Math.floor(share * costs.length))] ?? 0;
  const usage = alike.reduce((sum, finding) => addUsage(sum, finding.usage ?? NO_USAGE), { ...NO_USAGE });
  return {
    low: costAt(0.1),
    likely: Math.round(costs.reduce((sum, cost) => sum + cost, 0) / costs.length),
    high: costAt(0.9),
    allSonnet: Math.round(allSonnetNanoUsd(sonnet, usage) / alike.length),
    basis: `${named(group)}: the newest ${alike.length} of this kind, from the 10th to the 90th in a hundred`,
  };
}

function fromLedger(group: Group, row: { costNano: number; allSonnetNano: number; tasks: number }): Estimate {
  const likely = Math.round(row.costNano / row.tasks);
  return {
    low: Math.round(likely / 3),
    likely,
    high: likely * 3,
    allSonnet: Math.round(row.allSonnetNano / row.tasks),
    basis: `${named(group)}: the mean of all ${row.tasks} tasks of this model so far, a third to three times of it`,
  };
}

function fromAssumption(group: Group, entry: CatalogEntry, sonnet: CatalogEntry): Estimate {
  const [few, some, many] = group.workspace ? [2, 5, 12] : [1, 1, 3];
  const description = Math.round(group.tokens / group.count);
  const cost = (turns: number): number =>
    turnsOf(description, turns).reduce((sum, usage) => sum + costNanoUsd(entry, usage), 0);
  const usage = turnsOf(description, some).reduce(addUsage, { ...NO_USAGE });
  return {
    low: cost(few),
    likely: cost(some),
    high: cost(many),
    allSonnet: allSonnetNanoUsd(sonnet, usage),
    basis: `${named(group)}: no history yet; assumed ${few}..${many} turns (likely ${some}), ${FIXED_TOKENS} + ${description} prompt tokens growing by ${TURN_TOKENS} a turn, ${REPLY_TOKENS} answered each, no cache`,
  };
}

function turnsOf(description: number, turns: number): Usage[] {
  return Array.from({ length: turns }, (_, turn) => ({
    ...NO_USAGE,
    input: FIXED_TOKENS + description + turn * TURN_TOKENS,
    output: REPLY_TOKENS,
  }));
}

function named({ count, kind, model }: Group): string {
  return `${formatCount(count)} × ${kind} on ${model}`;
}

/** Four characters a token, as in English. */
function toTokens(task: TaskInput): number {
  const data = task.data === undefined ? 0 : JSON.stringify(task.data).length;
  return Math.ceil((task.description.length + data) / 4);
}

async function readBudgetLeft(db: Db, now: Date): Promise<number> {
  const { limit, settled, reserved, uncertain } = await readBudget(db, null, now);
  return Math.max(0, (limit ?? DEFAULT_BUDGET_NANO_USD) - settled - reserved - uncertain);
}
