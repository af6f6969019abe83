import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { EFFORTS } from '../../queues/effort.ts';
import { findWorkerIdProblem } from '../../queues/ids.ts';
import { insidePaths, int, list, number, oneOf, secret, shown, url } from './fields.ts';
import { ConfigError } from '../errors.ts';
import { gitAuthor } from './git-author.ts';
import { packageFolder } from './package-folder.ts';
import { embeddedUrl, readEmbeddedChoice, type EmbeddedChoice } from './embedded-choice.ts';
import { readRunEnvironment, runVariables } from './run-environment.ts';
import { readShards, shardDefaults, type ShardConfig } from './shards.ts';

const workspaces = list.transform((items, context) => {
  const found: Record<string, string> = {};
  for (const item of items) {
    const end = item.indexOf('=');
    const name = item.slice(0, end);
    const path = item.slice(end + 1);
    if (end < 1 || !/^[^\s:{}]+$/.test(name) || !isAbsolute(path)) {
      context.addIssue({ code: 'custom', message: `expected name=/absolute/folder, got ${JSON.stringify(item)}` });
      continue;
    }
    found[name] = resolve(path);
  }
  return found;
});

/** Every variable that the fleet reads. `.env.example` lists the same ones. */
const environmentSchema = z.object({
  REDIS_URL: url(['redis:', 'rediss:']).default('redis://127.0.0.1:6379'),
  FLEET_SWARM: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, { error: (issue) => `expected a lower-case name, got ${shown(issue.input)}` })
    .refine((name) => name !== 'fleet', { error: '"fleet" is the default swarm; leave the variable out' })
    .optional(),
  FLEET_WORKSPACES: workspaces.prefault(''),
  FLEET_OFFLINE: z.enum(['0', '1'], { error: (issue) => `expected 0 or 1, got ${shown(issue.input)}` }).default('0'),
  FLEET_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: (issue) => `expected trace, debug, info, warn, error, fatal or silent, got ${shown(issue.input)}`,
    })
    .default('info'),
  FLEET_BUDGET_USD: number(0, 1_000_000).optional(), // US dollars a day
  FLEET_NOTIFY: z
    .string()
    .min(1)
    .refine((value) => !/^http:/i.test(value) || /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])([:/]|$)/i.test(value), {
      error: 'expected a command or an https address; http only to this machine', // never shows the address, which may contain a token
    })
    .optional(),
  FLEET_WORKER_ID: z
    .string()
    .refine((id) => findWorkerIdProblem(id) === null, {
      error: (issue) => findWorkerIdProblem(String(issue.input)) ?? undefined,
    })
    .optional(),
  ANTHROPIC_API_KEY: secret.optional(),
  ANTHROPIC_ADMIN_KEY: secret.optional(), // reads the usage report; calls no model
  ANTHROPIC_BASE_URL: url(['http:', 'https:']).optional(),
  FLEET_HAIKU_MODEL: z.string().min(1).default('claude-haiku-5-5'),
  FLEET_SONNET_MODEL: z.string().min(1).default('claude-sonnet-5-5'),
  GEMINI_API_KEY: secret.optional(), // shard 1, where no numbered key is set
  GEMINI_BASE_URL: url(['http:', 'https:']).optional(),
  GEMINI_SDK: oneOf('generative-ai', 'genai').default('generative-ai'),
  ...shardDefaults,
  GEMINI_PACING: oneOf('0', '1').default('0'),
  DEEPSEEK_API_KEY: secret.optional(),
  DEEPSEEK_BASE_URL: url(['http:', 'https:']).optional(),
  FLEET_GEMINI_MODEL: z.string().min(1).default('gemini-3.5-flash-lite'),
  FLEET_FALLBACK_MODEL: z.string().min(1).default('deepseek-flash'),
  FLEET_LIBRARIAN_PROCESSES: int(1, 64).default(1),
  FLEET_HAIKU_PROCESSES: int(1, 64).default(2),
  FLEET_HAIKU_CONCURRENCY: int(1, 1_000).default(20),
  FLEET_CALL_TIMEOUT_MS: int(1_000, 3_600_000).default(900_000),
  FLEET_CALL_IDLE_MS: int(1_000, 290_000).default(60_000), // Node ends a silent connection after 300 s
  FLEET_HAIKU_EFFORT: oneOf(...EFFORTS).optional(),
  FLEET_SONNET_EFFORT: oneOf(...EFFORTS).optional(),
  FLEET_RUN_ALLOW: list,
  FLEET_RUN_ENV: runVariables,
  FLEET_RUN_TIMEOUT_MS: int(1_000, 3_000_000).default(120_000), // less than a job may take
  FLEET_HTTP_ALLOW: list,
  FLEET_WORKTREE_LINKS: insidePaths,
  FLEET_GIT_AUTHOR: gitAuthor.default('haiku-fleet'),
  FLEET_WORKTREES_KEEP: int(0, 100_000).default(20),
  FLEET_PR: oneOf('0', '1').default('0'), // whether `fleet apply --pr` may push and open a pull request
  DASHBOARD_HOST: z.string().min(1).default('127.0.0.1'),
  DASHBOARD_PORT: int(0, 65_535).default(3_900),
  DASHBOARD_USER: z.string().min(1).default('fleet'),
  DASHBOARD_PASSWORD: z.string().min(8, { error: 'expected at least 8 characters' }).optional(), // never printed
});

/** Names of all variables. */
export const environmentNames: readonly string[] = Object.keys(environmentSchema.shape);

type Environment = z.output<typeof environmentSchema>;

export interface Config extends Environment {
  /** The Gemini keys with their limits; empty where no key is set and the models are not simulated. */
  shards: ShardConfig[];
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
  /** Names in `.env` that look like the fleet's and that nothing reads there: misspelt, or read from the shell only. */
  unread: string[];
  /** Origin of each variable that is set; the others have their default. */
  origins: Record<string, 'shell' | '.env'>;
}

/**
 * Reads the environment and the `.env` of the fleet's home (`FLEET_HOME`, default the package's folder). A variable of
 * the process takes precedence over the file's. The current folder has no influence.
 * @throws ConfigError naming every wrong variable, its rule and its value, in one message
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const home = resolve(env.FLEET_HOME ?? packageFolder);
  const file = readEnvFile(join(home, '.env'));
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const merged: Record<string, string | undefined> = { ...file, ...set };
  const parsed = environmentSchema.safeParse(merged);
  const shardDefaultsRead = z.object(shardDefaults).safeParse(merged);
  // Where a default is invalid, the shards' own variables are checked with the built-in defaults.
  const defaults = shardDefaultsRead.data ?? z.object(shardDefaults).parse({});
  const { shards, problems } = readShards(merged, defaults, merged.FLEET_OFFLINE === '1');
  const run = readRunEnvironment(parsed.data?.FLEET_RUN_ENV ?? [], merged);
  problems.push(...run.problems);
  if (!parsed.success || problems.length > 0) {
    const issues = parsed.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
    throw new ConfigError(
      `the environment is wrong:\n${[...issues, ...problems].map((line) => `  ${line}`).join('\n')}`,
    );
  }
  const dataFolder = resolve(
    env.FLEET_DATA ?? join(env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'haiku-fleet'),
  );
  const named = merged.REDIS_URL !== undefined;
  const embedded = named ? null : readEmbeddedChoice(dataFolder, parsed.data.FLEET_SWARM ?? null);
  return {
    ...parsed.data,
    shards,
    ...(embedded === null ? {} : { REDIS_URL: embeddedUrl(embedded) }),
    home,
    dataFolder,
    embedded,
    runEnvironment: run.variables,
    origins: Object.fromEntries(
      environmentNames
        .filter((name) => merged[name] !== undefined)
        .map((name) => [name, set[name] === undefined ? '.env' : 'shell']),
    ),
    unread: Object.keys(file).filter(
      (name) => /^(?:FLEET|GEMINI|DEEPSEEK|DASHBOARD)_(?!.*_SHARD)/.test(name) && !environmentNames.includes(name),
    ),
    shadowed: Object.keys(file).filter((name) => set[name] !== undefined && set[name] !== file[name]),
  };
}

/** Whether models are simulated: no call is paid, and none leaves the machine. */
export function isOffline(config: Config): boolean {
  return config.FLEET_OFFLINE === '1';
}

/** @throws ConfigError without a key, unless the fleet is offline: nothing falls back to the simulator */
export function requireAnthropicKey(config: Config): void {
  if (isOffline(config) || config.ANTHROPIC_API_KEY !== undefined) return;
  throw new ConfigError(
    `the environment is wrong:\n  ANTHROPIC_API_KEY: expected a key, got nothing (put it into ${join(config.home, '.env')}, or set FLEET_OFFLINE=1 for simulated models)`,
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

function readEnvFile(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  const parsed = parseEnv(readFileSync(path, 'utf8'));
  return Object.fromEntries(
    Object.entries(parsed).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}
