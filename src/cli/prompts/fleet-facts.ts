import { z } from 'zod';
import { taskInputSchema } from '../../../queues/tasks.ts';
import type { OpenFleet } from '../../api/open-fleet.ts';
import { DEFAULT_BUDGET_NANO_USD, readBudget } from '../../ledger/budget.ts';
import { formatUsd, toNanoUsd } from '../../pricing/money.ts';
import { readKnownNames, toConfigured } from '../../tasks/known-names.ts';

/** What the files for Claude Code tell of one fleet. */
export interface FleetFacts {
  /** Names, sorted: of this configuration, and of the workers that are up. */
  workspaces: string[];
  haikuModel: string;
  sonnetModel: string;
  /** The day's budget, such as `$5.00`. */
  dayBudget: string;
}

export async function readFleetFacts({ inner }: OpenFleet): Promise<FleetFacts> {
  const { db, config } = inner;
  const [known, budget] = await Promise.all([readKnownNames(db, toConfigured(config)), readBudget(db, null)]);
  const seed = config.FLEET_BUDGET_USD;
  const limit = budget.limit ?? (seed === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(seed));
  return {
    workspaces: [...(known.workspaces ?? [])].toSorted(),
    haikuModel: config.FLEET_HAIKU_MODEL,
    sonnetModel: config.FLEET_SONNET_MODEL,
    dayBudget: formatUsd(limit, 4),
  };
}

/** The keys of a task as JSON, a line each, in the words of the schema: `- "kind": "file" | "git" …`. */
export function describeTaskKeys(): string {
  const { properties = {}, required = [] } = z.toJSONSchema(taskInputSchema, { io: 'input' });
  return Object.entries(properties)
    .map(([name, schema]) => {
      const type = typeof schema === 'boolean' ? 'any JSON' : describeType(schema);
      return `- \`${name}\`: ${type}${required.includes(name) ? ' (required)' : ''}`;
    })
    .join('\n');
}

function describeType({ type, enum: choices, items, maximum, minimum }: z.core.JSONSchema.BaseSchema): string {
  if (choices !== undefined) return choices.map((choice) => JSON.stringify(choice)).join(' | ');
  if (type === 'array' && typeof items === 'object' && !Array.isArray(items)) return `list of ${describeType(items)}`;
  if (type === 'integer') return `whole number ${minimum}..${maximum}`;
  if (type === 'number') return `number up to ${maximum}`;
  if (type === 'boolean') return 'true | false';
  if (type === 'string') return 'text';
  return type === 'object' ? 'object' : 'any JSON';
}
