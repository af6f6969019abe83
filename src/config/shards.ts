import { z } from 'zod';
import { int, oneOf, secret, shown } from './fields.ts';

/** One Gemini key, its project and the provider's limits of that project. */
export interface ShardConfig {
  /** From 1. */
  number: number;
  apiKey: string;
  /** Shards of the same project share its limits; null: a project of its own. */
  project: string | null;
  /** Most requests that start within `windowMs`. */
  rpm: number;
  /** Most requests from one midnight Pacific to the next. */
  rpd: number;
  /** Most prompt tokens within `windowMs`. */
  tpm: number;
  /** Length of the provider's window, a minute; shorter only with the simulator. */
  windowMs: number;
  /** Whether its calls are billed. Null where no variable sets it: then no librarian starts. */
  tier: 'free' | 'paid' | null;
}

const project = z.string().regex(/^[A-Za-z0-9._:-]{1,100}$/, {
  error: (issue) => `expected letters, digits, dot, dash, colon or underscore, got ${shown(issue.input)}`,
});

/** Defaults of every shard; its own variable `<name>_SHARD<N>` takes precedence. */
export const shardDefaults = {
  GEMINI_RPM: int(1, 100_000).default(15),
  GEMINI_RPD: int(1, 100_000_000).default(1_500),
  GEMINI_TPM: int(1_000, 1_000_000_000).default(250_000),
  GEMINI_WINDOW_MS: int(100, 3_600_000).default(60_000),
  GEMINI_TIER: oneOf('free', 'paid').optional(),
} as const;
type Defaults = z.output<z.ZodObject<typeof shardDefaults>>;

const ownSchema = {
  GEMINI_API_KEY: secret,
  GEMINI_PROJECT: project,
  GEMINI_RPM: shardDefaults.GEMINI_RPM.unwrap(),
  GEMINI_RPD: shardDefaults.GEMINI_RPD.unwrap(),
  GEMINI_TPM: shardDefaults.GEMINI_TPM.unwrap(),
  GEMINI_WINDOW_MS: shardDefaults.GEMINI_WINDOW_MS.unwrap(),
  GEMINI_TIER: shardDefaults.GEMINI_TIER.unwrap(),
} as const;
type Own = { [Name in keyof typeof ownSchema]?: z.output<(typeof ownSchema)[Name]> };

const MAX_SHARDS = 100;
const NAME = /^(GEMINI_[A-Z_]+)_SHARD(.*)$/;

/** Number of simulated shards, where no key is set offline. */
const SIMULATED_SHARDS = 5;

/** Names of the variables of one shard. */
export function shardVariableNames(shard: number): string[] {
  return Object.keys(ownSchema).map((name) => `${name}_SHARD${shard}`);
}

type Merged = Record<string, string | undefined>;

/**
 * The shards with a key, in the order of their numbers; gaps are allowed. `GEMINI_API_KEY` is shard 1 where no numbered
 * key is set. Offline without any key there are five simulated ones.
 * @param merged the whole environment without empty variables
 * @returns the shards, and a problem with its rule for every wrong variable; no problem shows a key
 */
export function readShards(
  merged: Merged,
  defaults: Defaults,
  offline: boolean,
): { shards: ShardConfig[]; problems: string[] } {
  const { own, problems } = readOwn(merged);
  const numbered = [...own].filter(([, values]) => values.GEMINI_API_KEY !== undefined).toSorted(([a], [b]) => a - b);
  const alone = merged.GEMINI_API_KEY;
  const keys: [number, string][] = numbered.map(([number, values]) => [number, values.GEMINI_API_KEY ?? '']);
  if (keys.length === 0 && alone !== undefined) keys.push([1, alone]);
  if (keys.length === 0 && offline) {
    for (let number = 1; number <= SIMULATED_SHARDS; number++) keys.push([number, `simulated-shard-${number}`]);
  }
  const simulatedTier = offline && alone === undefined && numbered.length === 0 ? 'free' : null;
  const shards = keys.map(([number, apiKey]): ShardConfig => {
    const values: Own = own.get(number) ?? {};
    return {
      number,
      apiKey,
      project: values.GEMINI_PROJECT ?? null,
      rpm: values.GEMINI_RPM ?? defaults.GEMINI_RPM,
      rpd: values.GEMINI_RPD ?? defaults.GEMINI_RPD,
      tpm: values.GEMINI_TPM ?? defaults.GEMINI_TPM,
      windowMs: values.GEMINI_WINDOW_MS ?? defaults.GEMINI_WINDOW_MS,
      tier: values.GEMINI_TIER ?? defaults.GEMINI_TIER ?? simulatedTier,
    };
  });
  return { shards, problems: [...problems, ...findTwins(shards), ...findUnequal(shards)] };
}

function readOwn(merged: Merged): { own: Map<number, Own>; problems: string[] } {
  const own = new Map<number, Own>();
  const problems: string[] = [];
  for (const [variable, text] of Object.entries(merged)) {
    const [, name = '', suffix = ''] = NAME.exec(variable) ?? [];
    if (name === '') continue;
    const number = /^[1-9]\d{0,2}$/.test(suffix) ? Number(suffix) : 0;
    if (number < 1 || number > MAX_SHARDS) {
      problems.push(`${variable}: expected a shard number 1..${MAX_SHARDS}, got ${shown(suffix)}`);
      continue;
    }
    if (!isOwnName(name)) {
      problems.push(`${variable}: expected one of ${shardVariableNames(number).join(', ')}`);
      continue;
    }
    const parsed = ownSchema[name].safeParse(text);
    if (parsed.success) own.set(number, { ...own.get(number), [name]: parsed.data });
    else problems.push(...parsed.error.issues.map((issue) => `${variable}: ${issue.message}`));
  }
  return { own, problems };
}

/** A key of two shards would use one project's limits twice. */
function findTwins(shards: readonly ShardConfig[]): string[] {
  return shards.flatMap((shard, i) => {
    const twin = shards.slice(0, i).find((other) => other.apiKey === shard.apiKey);
    if (twin === undefined) return [];
    return [`GEMINI_API_KEY_SHARD${shard.number}: expected a key of its own, got that of shard ${twin.number}`];
  });
}

const LIMITS = { rpm: 'GEMINI_RPM', rpd: 'GEMINI_RPD', tpm: 'GEMINI_TPM', windowMs: 'GEMINI_WINDOW_MS' } as const;

/** Limits are the project's: its shards cannot have different ones. */
function findUnequal(shards: readonly ShardConfig[]): string[] {
  return shards.flatMap((shard, i) => {
    const twin = shards.slice(0, i).find((other) => other.project !== null && other.project === shard.project);
    if (twin === undefined) return [];
    const problems = (['rpm', 'rpd', 'tpm', 'windowMs'] as const)
      .filter((limit) => shard[limit] !== twin[limit])
      .map(
        (limit) =>
          `${LIMITS[limit]}_SHARD${shard.number}: expected ${twin[limit]} as for shard ${twin.number}, which is the same project, got ${shard[limit]}`,
      );
    if (shard.tier === twin.tier) return problems;
    return [
      ...problems,
      `GEMINI_TIER_SHARD${shard.number}: expected ${twin.tier ?? 'nothing'} as for shard ${twin.number}, which is the same project, got ${shard.tier ?? 'nothing'}`,
    ];
  });
}

function isOwnName(name: string): name is keyof typeof ownSchema {
  return Object.hasOwn(ownSchema, name);
}
