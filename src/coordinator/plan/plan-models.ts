import type { Config } from '../../config/environment.ts';
import { TaskFailedError, toMessage } from '../../errors.ts';
import { catalogOf, type CatalogEntry } from '../../pricing/catalog.ts';
import { costNanoUsd } from '../../pricing/cost.ts';
import { toModelClass } from '../../pricing/model-class.ts';
import { NO_USAGE } from '../../pricing/tokens.ts';
import { findVendorProblem } from '../../routing/allowed-vendors.ts';
import { toWindow } from '../../routing/reply-room.ts';

/** The words that every plan may use: the default model, with the routes that go before it, and the better one. */
export const [DEFAULT_NAME, BETTER_NAME] = ['haiku', 'sonnet'] as const;

/** Models that the planner is told of, the two words counted, so that its prompt stays short. */
const MOST_OFFERED = 20;
/** Models that a refusal names. */
const NAMED = 8;
/** What models are compared by. */
const COMPARED = { ...NO_USAGE, input: 10_000, output: 2_000 };

/** A model that the planner is told of. */
interface OfferedModel {
  /** What a task of the plan calls it: `haiku`, `sonnet`, or the id of its row. */
  name: string;
  isExpensive: boolean;
  isFree: boolean;
  /** Tokens of a prompt that it holds beside a reply. Null: not known here. */
  windowTokens: number | null;
  /** Besides the use of tools, which all have. */
  abilities: string[];
}

/** The models that the tasks of a plan may go to. */
export interface PlanModels {
  /** For the planner, the cheapest first. */
  offered: OfferedModel[];
  /** Why a task of the plan may not name this model. Null: it may. */
  findProblem(name: string): string | null;
  /**
   * Whether a task needs one of the four reasons to go there, and is counted in the share that no plan may pass: it is of the class of
   * the coordinator's model or of `sonnet`, or costs as much. The class of the default model never is.
   */
  isExpensive(name: string): boolean;
}

export type PlanModelConfig = Pick<
  Config,
  'FLEET_HAIKU_MODEL' | 'FLEET_SONNET_MODEL' | 'FLEET_COORDINATOR_MODEL' | 'models' | 'routes'
>;

/**
 * Besides `haiku` and `sonnet`: the models of the routes, and the fleet's own rows. A name that is valid at another time is checked anew
 * when the task runs.
 * @param vendors that may see the mission's workspace; null: all
 * @param canCall whether this machine has the model's key: the planner is told of no other. Default: all are told
 */
export function toPlanModels(
  config: PlanModelConfig,
  {
    vendors,
    at,
    canCall = () => true,
  }: { vendors: readonly string[] | null; at: Date; canCall?: (entry: CatalogEntry) => boolean },
): PlanModels {
  const catalog = catalogOf(config);
  const { FLEET_HAIKU_MODEL: haiku, FLEET_SONNET_MODEL: sonnet, FLEET_COORDINATOR_MODEL: lead } = config;
  const tasksRoutes = config.routes.filter(({ kind }) => kind?.join() !== 'archive');
  const rows = [...tasksRoutes.flatMap(({ use }) => use), ...config.models.map(({ id }) => id)];
  const ids = [...new Set(rows)].filter((id) => id !== haiku && id !== sonnet);
  const named = new Set<string>([DEFAULT_NAME, BETTER_NAME, haiku, sonnet, ...ids]);
  const toId = (name: string): string => (name === DEFAULT_NAME ? haiku : name === BETTER_NAME ? sonnet : name);

  const find = (id: string): CatalogEntry | string => {
    try {
      return catalog.find(id, at);
    } catch (error) {
      if (error instanceof TaskFailedError) return toMessage(error);
      throw error;
    }
  };
  /** 0: free, or not known. */
  const costOf = (id: string): number => {
    const entry = find(id);
    return typeof entry === 'string' ? 0 : costNanoUsd(entry, COMPARED);
  };
  const leadCost = Math.max(costOf(lead), costOf(sonnet));
  const leadClasses = [toModelClass(lead), toModelClass(sonnet)];

  function isExpensive(name: string): boolean {
    const id = toId(name);
    const ownClass = toModelClass(id);
    if (ownClass === toModelClass(haiku)) return false;
    return leadClasses.includes(ownClass) || costOf(id) >= Math.max(leadCost, costOf(haiku) + 1);
  }

  function findObstacle(name: string): string | null {
    if (name === DEFAULT_NAME) return null; // the routes choose another where this one may not
    const entry = find(toId(name));
    if (typeof entry === 'string') return entry;
    if (!entry.abilities.tools) return `${entry.id} can use no tools, and workers need them`;
    const problem = findVendorProblem(entry, vendors);
    return problem && `${problem}, and the mission's workspace allows only ${vendors?.join(', ') || 'none'}`;
  }

  const usable = [DEFAULT_NAME, BETTER_NAME, ...ids].filter((name) => findObstacle(name) === null);

  return {
    offered: usable
      .filter((name) => name === DEFAULT_NAME || name === BETTER_NAME || canCall(catalog.find(name, at)))
      .slice(0, MOST_OFFERED)
      .toSorted((a, b) => costOf(toId(a)) - costOf(toId(b)))
      .map((name) => {
        const entry = find(toId(name));
        return { name, isExpensive: isExpensive(name), ...describe(typeof entry === 'string' ? null : entry) };
      }),
    findProblem(name) {
      if (named.has(name)) return findObstacle(name);
      const more = usable.length > NAMED ? ` and ${usable.length - NAMED} more` : '';
      return `no task of a plan may go to ${JSON.stringify(name)}: expected ${usable.slice(0, NAMED).join(', ')}${more}`;
    },
    isExpensive,
  };
}

function describe(entry: CatalogEntry | null): Pick<OfferedModel, 'isFree' | 'windowTokens' | 'abilities'> {
  if (entry === null) return { isFree: false, windowTokens: null, abilities: [] };
  const abilities = Object.entries(entry.abilities).filter(([ability, has]) => has && ability !== 'tools');
  return {
    isFree: entry.isLocal,
    windowTokens: toWindow(entry),
    abilities: abilities.map(([ability]) => ability),
  };
}
