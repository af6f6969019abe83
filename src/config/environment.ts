import { join } from 'node:path';
import { z } from 'zod';
import { EFFORTS } from '../../queues/effort.ts';
import { findWorkerIdProblem } from '../../queues/ids.ts';
import { isTooSmallBudget, LEAST_BUDGET_RULE } from '../../queues/owner.ts';
import {
  findWritingProblem,
  headers,
  hosts,
  insidePaths,
  int,
  listenHost,
  number,
  oneOf,
  programs,
  secret,
  shown,
  url,
  word,
} from './fields.ts';
import { ConfigError } from '../errors.ts';
import { readExportedSecrets } from './source/exported-secrets.ts';
import { gitAuthor } from './git-author.ts';
import { publicAddress } from './public-address.ts';
import { addSecretNames, isSecretName } from './own-environment.ts';
import { findDataFolder, findHome } from './home.ts';
import { findVendorNotes } from './model-rows/vendor-notes.ts';
import { describeNotes, type ConfigNote } from './source/notes.ts';
import { redisUrl } from './redis-url.ts';
import { readEnvFile } from './source/env-file.ts';
import { correctName, findUnknownNames, mayBeOurs } from './source/unknown-names.ts';
import { readPeers, swarmNames } from './other-swarms.ts';
import { OUTSIDE_VENDOR, readWorkspaceVendors, workspaces } from './workspaces.ts';
import { embeddedUrl, readEmbeddedChoice, type EmbeddedChoice } from './source/embedded-choice.ts';
import { readRunEnvironment, runVariables } from './run-environment.ts';
import { forSwarm, needsSwarm } from './redis-servers.ts';
import { readShards, shardDefaults, type ShardConfig } from './shards.ts';
import { readModelKeys } from './model-rows/keys.ts';
import { readModels } from './model-rows/read-models.ts';
import type { ModelRow, RouteRow } from './model-rows/types.ts';

/** Every variable that the fleet reads. `.env.example` lists the same ones. */
const environmentSchema = z.object({
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  FLEET_SWARM: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, { error: (issue) => `expected a lower-case name, got ${shown(issue.input)}` })
    .refine((name) => name !== 'fleet', { error: '"fleet" is the default swarm; leave the variable out' })
    .optional(),
  FLEET_READ_SWARMS: swarmNames,
  FLEET_SHARE_WITH: swarmNames,
  FLEET_WORKSPACES: workspaces.prefault(''),
  FLEET_OFFLINE: z.enum(['0', '1'], { error: (issue) => `expected 0 or 1, got ${shown(issue.input)}` }).default('0'),
  FLEET_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: (issue) => `expected trace, debug, info, warn, error, fatal or silent, got ${shown(issue.input)}`,
    })
    .default('info'),
  FLEET_BUDGET_USD: number(0, 1_000_000)
    .refine((usd) => !isTooSmallBudget(usd), { error: `${LEAST_BUDGET_RULE}, or 0` })
    .optional(), // US dollars a day
  FLEET_NOTIFY: z
    .string()
    .min(1)
    .refine((value) => !/^http:/i.test(value) || /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])([:/]|$)/i.test(value), {
      error: 'expected a command or an https address; http only to this machine', // never shows the address, which may contain a token
    })
    .optional(),
  FLEET_NOTIFY_WAIT_MIN: int(1, 100_000).default(60),
  FLEET_WORKER_ID: z
    .string()
    .refine((id) => findWorkerIdProblem(id) === null, {
      error: (issue) => findWorkerIdProblem(String(issue.input)) ?? undefined,
    })
    .optional(),
  ANTHROPIC_API_KEY: secret.optional(),
  ANTHROPIC_ADMIN_KEY: secret.optional(), // reads the usage report; calls no model
  ANTHROPIC_BASE_URL: url(['http:', 'https:']).optional(),
  FLEET_MODELS: word.optional(), // a path, relative to the home
  OPENAI_API_KEY: secret.optional(),
  MISTRAL_API_KEY: secret.optional(),
  OPENROUTER_API_KEY: secret.optional(),
  FLEET_HAIKU_MODEL: word.default('claude-haiku-5-5'),
  FLEET_SONNET_MODEL: word.default('claude-sonnet-5-5'),
  FLEET_COORDINATOR_MODEL: word.optional(),
  GEMINI_API_KEY: secret.optional(), // shard 1, where no numbered key is set
  GEMINI_BASE_URL: url(['http:', 'https:']).optional(),
  GEMINI_SDK: oneOf('generative-ai', 'genai').default('generative-ai'),
  ...shardDefaults,
  GEMINI_PACING: oneOf('0', '1').default('0'),
  DEEPSEEK_API_KEY: secret.optional(),
  DEEPSEEK_BASE_URL: url(['http:', 'https:']).optional(),
  FLEET_GEMINI_MODEL: word.default('gemini-3.5-flash-lite'),
  FLEET_FALLBACK_MODEL: word.default('deepseek-flash'),
  FLEET_LIBRARIAN_PROCESSES: int(1, 64).default(1),
  FLEET_HAIKU_PROCESSES: int(1, 64).default(2),
  FLEET_HAIKU_CONCURRENCY: int(1, 1_000).default(20),
  FLEET_CALL_TIMEOUT_MS: int(1_000, 3_600_000).default(900_000),
  FLEET_CALL_IDLE_MS: int(1_000, 290_000).default(60_000), // Node ends a silent connection after 300 s
  FLEET_HAIKU_EFFORT: oneOf(...EFFORTS).optional(),
  FLEET_SONNET_EFFORT: oneOf(...EFFORTS).optional(),
  FLEET_RUN_ALLOW: programs,
  FLEET_RUN_ENV: runVariables,
  FLEET_RUN_TIMEOUT_MS: int(1_000, 3_000_000).default(120_000), // less than a job may take
  FLEET_HTTP_ALLOW: hosts,
  FLEET_WORKTREE_LINKS: insidePaths,
  FLEET_GIT_AUTHOR: gitAuthor.default('haiku-fleet'),
  FLEET_RUN_DAYS: int(0, 3_650).default(7), // days that a job's record is kept after its last entry; 0: none is written
  FLEET_TRANSCRIPTS: oneOf('0', '1').default('0'), // whether prompts and replies are written to files of the host
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['http:', 'https:'])
    .refine((value) => !URL.canParse(value) || new URL(value).username === '', {
      error: 'expected an address without a user; OTEL_EXPORTER_OTLP_HEADERS holds what the receiver wants to know',
    })
    .optional(), // of a receiver of traces over HTTP
  OTEL_EXPORTER_OTLP_HEADERS: headers,
  OTEL_SERVICE_NAME: word.default('haiku-fleet'),
  FLEET_OTEL_CONTENT: oneOf('0', '1').default('0'), // whether traces hold what tasks ask and answer
  FLEET_WORKTREES_KEEP: int(0, 100_000).default(20),
  FLEET_PR: oneOf('0', '1').default('0'), // whether `fleet apply --pr` may push and open a pull request
  FLEET_BRIDGE: oneOf('0', '1').default('0'), // whether tasks of other programs are taken
  FLEET_BRIDGE_V2: oneOf('0', '1').default('0'), // whether memory shards of other programs are served, too
  FLEET_BRIDGE_WORKSPACE: word.optional(), // a name of FLEET_WORKSPACES, for their tasks
  FLEET_MCP_CONFIRM_USD: number(0, 1_000_000).default(0.5),
  FLEET_TOKEN: secret.optional(), // of a client, for `fleet mcp` on standard input and output
  DASHBOARD_HOST: listenHost.default('127.0.0.1'),
  DASHBOARD_PORT: int(0, 65_535).default(3_900),
  DASHBOARD_PUBLIC_URL: publicAddress.optional(),
  DASHBOARD_USER: word.default('fleet'),
  DASHBOARD_PASSWORD: z.string().min(8, { error: 'expected at least 8 characters' }).optional(), // never printed
  DASHBOARD_READ_PASSWORD: z.string().min(8, { error: 'expected at least 8 characters' }).optional(), // never printed
});

/** Names of all variables. */
export const environmentNames: readonly string[] = Object.keys(environmentSchema.shape);

type Environment = z.output<typeof environmentSchema>;

export interface Config extends Omit<Environment, 'FLEET_COORDINATOR_MODEL'> {
  /** Plans and answers missions; reports compare costs with it. Default: `FLEET_SONNET_MODEL`. */
  FLEET_COORDINATOR_MODEL: string;
  /** The Gemini keys with their limits; empty where no key is set and the models are not simulated. */
  shards: ShardConfig[];
  /** The rows of `models.json`: models besides the built-in ones, or in their place. */
  models: ModelRow[];
  /** The routes of `models.json`: which models do which tasks. */
  routes: RouteRow[];
  /** The providers' keys by the variable that holds them. All are secrets. */
  modelKeys: Record<string, string>;
  /** Addresses of Redis of other swarms (`FLEET_PEER_OPS`), by the name of the swarm: those that are on another server. */
  peers: Record<string, string>;
  /** The vendors that may see what is in a workspace, by its name. One that is not named here is open to all. */
  workspaceVendors: Record<string, string[]>;
  /** Folder of the `.env` that is read. */
  home: string;
  /** Folder of data that does not depend on a checkout, such as the embedded Redis'. */
  dataFolder: string;
  /** The fleet's own Redis, where `fleet up --embedded` chose it and REDIS_URL is not set. */
  embedded: EmbeddedChoice | null;
  /** Variables of programs that tasks start, as `FLEET_RUN_ENV` says. */
  runEnvironment: Record<string, string>;
  /** Names of variables that the shell and `.env` set to different values; the shell's value applies. */
  shadowed: string[];
  /** What a person should look at: misspelt names, doubled lines of `.env`. */
  notes: ConfigNote[];
  /** Names that look like the fleet's, and that other programs are known to read. */
  foreign: string[];
  /** Secrets that only the shell gives, by name: `.env` lacks them, or has other values. */
  shellSecrets: Record<string, string>;
  /** Origin of each variable that is set; the others have their default. */
  origins: Record<string, 'shell' | '.env'>;
}

/**
 * Reads the environment and the `.env` of the fleet's home (`findHome`). A variable of the process takes precedence over
 * the file's. The current folder has no influence.
 * @throws ConfigError naming every wrong variable, its rule and its value, in one message
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const { home, problem: homeProblem } = findHome(env.FLEET_HOME);
  const envPath = join(home, '.env');
  const data = findDataFolder(env);
  const read = readEnvFile(envPath, mayBeOurs);
  const file = read.variables;
  const set = { ...readExportedSecrets(env), ...trimValues(env) };
  const merged: Record<string, string | undefined> = { ...file, ...set };
  const { models, routes, problems: modelProblems } = readModels(merged.FLEET_MODELS, home);
  addSecretNames(models.flatMap(({ keyEnv }) => keyEnv ?? [])); // before FLEET_RUN_ENV is read, which may name none
  const keys = readModelKeys(models, merged, { names: environmentNames, findKeyProblem });
  const miswritten = findMiswritten(merged);
  const parsed = environmentSchema.safeParse(merged);
  const shardDefaultsRead = z.object(shardDefaults).safeParse(merged);
  // Where a default is invalid, the shards' own variables are checked with the built-in defaults.
  const defaults = shardDefaultsRead.data ?? z.object(shardDefaults).parse({});
  const { shards, problems } = readShards(merged, defaults, merged.FLEET_OFFLINE === '1');
  const run = readRunEnvironment(parsed.data?.FLEET_RUN_ENV ?? [], merged);
  const others = readPeers(merged, parsed.data);
  problems.push(
    ...others.problems,
    ...run.problems,
    ...modelProblems,
    ...keys.problems,
    ...(homeProblem === null ? [] : [`FLEET_HOME: ${homeProblem}`]),
    ...(read.problem === null ? [] : [`${envPath}: ${read.problem}`]),
    ...(data.problem === null ? [] : [`FLEET_DATA: ${data.problem}`]),
    ...[...miswritten].map(([name, problem]) => `${name}: ${problem}`),
  );
  if (parsed.success && parsed.data.FLEET_SWARM === undefined && needsSwarm(parsed.data.REDIS_URL)) {
    problems.push(
      'REDIS_URL: a cluster needs a swarm with a name: set FLEET_SWARM, and all of its keys lie on one node',
    );
  }
  if (!parsed.success || problems.length > 0) {
    const issues = (parsed.error?.issues ?? [])
      .filter(({ path }) => !miswritten.has(path.join('.')))
      .map(({ path, message }) => `${path.join('.')}: ${message}`);
    const wrong = [...issues, ...problems];
    const why = describeNotes(read.notes.filter(({ name }) => wrong.some((line) => line.startsWith(`${name}:`))));
    throw new ConfigError(`the environment is wrong:\n${[...wrong, ...why].map((line) => `  ${line}`).join('\n')}`);
  }
  const named = merged.REDIS_URL !== undefined;
  const embedded = named ? null : readEmbeddedChoice(data.folder, parsed.data.FLEET_SWARM ?? null);
  const hasRedis = named || embedded !== null;
  const unknown = findUnknownNames(environmentNames, { shell: set, file, hasRedis });
  const workspaceVendors = readWorkspaceVendors(merged['FLEET_WORKSPACES'] ?? '');
  return {
    ...parsed.data,
    FLEET_COORDINATOR_MODEL: parsed.data.FLEET_COORDINATOR_MODEL ?? parsed.data.FLEET_SONNET_MODEL,
    shards,
    models,
    routes,
    modelKeys: keys.found,
    peers: others.peers,
    workspaceVendors,
    REDIS_URL: embedded === null ? forSwarm(parsed.data.REDIS_URL, parsed.data.FLEET_SWARM) : embeddedUrl(embedded),
    home,
    dataFolder: data.folder,
    embedded,
    runEnvironment: run.variables,
    origins: Object.fromEntries(
      environmentNames
        .filter((name) => merged[name] !== undefined)
        .map((name) => [name, set[name] === undefined ? '.env' : 'shell']),
    ),
    notes: [
      ...others.notes,
      ...read.notes.map((note) => correctName(note, environmentNames)),
      ...unknown.notes,
      ...findVendorNotes(workspaceVendors, [...models.map(({ vendor }) => vendor), OUTSIDE_VENDOR]),
    ],
    foreign: unknown.foreign,
    shadowed: Object.keys(file).filter((name) => set[name] !== undefined && set[name] !== file[name]),
    shellSecrets: Object.fromEntries(
      Object.entries(set).filter(
        (entry): entry is [string, string] => isSecretName(entry[0]) && entry[1] !== file[entry[0]],
      ),
    ),
  };
}

/** Whether models are simulated: no call is paid, and none leaves the machine. */
export function isOffline(config: Config): boolean {
  return config.FLEET_OFFLINE === '1';
}

/** @throws ConfigError without a key, unless the fleet is offline: nothing falls back to the simulator */
export function requireAnthropicKey(config: Config): void {
  if (isOffline(config) || config.ANTHROPIC_API_KEY !== undefined) return;
  const meant = config.notes.find(({ fix }) => fix.includes('ANTHROPIC_API_KEY'));
  const instead = meant === undefined ? '' : `; ${meant.name} is set, which nothing reads: did you mean it?`;
  throw new ConfigError(
    `the environment is wrong:\n  ANTHROPIC_API_KEY: expected a key, got nothing${instead} (put it into ${join(config.home, '.env')}, or set FLEET_OFFLINE=1 for simulated models)`,
  );
}

/**
 * The shards that a librarian uses.
 * @throws ConfigError without a key, or for a shard without a tier
 */
export function requireShards(config: Config): ShardConfig[] {
  const env = join(config.home, '.env');
  if (config.shards.length === 0) {
    throw new ConfigError(
      `the environment is wrong:\n  GEMINI_API_KEY_SHARD1: expected a key, got nothing (put it into ${env}, or set FLEET_OFFLINE=1 for simulated models)`,
    );
  }
  const withoutTier = config.shards.filter((shard) => shard.tier === null);
  if (withoutTier.length === 0) return config.shards;
  const lines = withoutTier.map((shard) => `  GEMINI_TIER_SHARD${shard.number}: expected free or paid, got nothing`);
  throw new ConfigError(`the environment is wrong:\n${lines.join('\n')}\n  (GEMINI_TIER in ${env} says it for all)`);
}

/** The shell's variables that are set. Blanks at the ends of the fleet's own count as little as in a `.env`. */
function trimValues(env: NodeJS.ProcessEnv): Record<string, string> {
  const set = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  const keepsBlanks = (name: string): boolean => /^DASHBOARD_(?:READ_)?PASSWORD$/.test(name) || !mayBeOurs(name);
  return Object.fromEntries(
    set.map(([name, value]) => [name, keepsBlanks(name) ? value : value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')]),
  );
}

function findKeyProblem(value: string): string | null {
  return secret.safeParse(value).error?.issues[0]?.message ?? null;
}

/** The fleet's variables whose value is written wrongly, whatever it is for. */
function findMiswritten(merged: Record<string, string | undefined>): Map<string, string> {
  const ours = Object.keys(merged).filter(
    (name) => environmentNames.includes(name) || /_SHARD\d+$|^FLEET_PEER_/.test(name),
  );
  return new Map(
    ours.flatMap((name) => {
      const problem = findWritingProblem(name, merged[name] ?? '');
      return problem === null ? [] : [[name, problem] as const];
    }),
  );
}
