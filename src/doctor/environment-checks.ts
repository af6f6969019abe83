import { constants, existsSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { environmentNames, isOffline, type Config } from '../config/environment.ts';
import { redisAddress } from '../redis/connect.ts';
import { findEngine } from '../haiku/tools/search/engine/engine.ts';
import { runGuarded } from '../process/guarded-program.ts';
import { attempt, unwell, well, type CheckResult } from './check.ts';

/** Variables whose value is not shown: keys, passwords, and addresses that may contain one. */
const HIDDEN = new Set([
  'ANTHROPIC_API_KEY',
  'GEMINI_API_KEY',
  'DEEPSEEK_API_KEY',
  'DASHBOARD_PASSWORD',
  'FLEET_NOTIFY',
]);

export function checkNode(version = process.versions.node): CheckResult {
  return well('Node', version); // the command line does not start with an older one
}

/** Whether the search tools have their program, and it runs. */
export async function checkSearch(): Promise<CheckResult> {
  const engine = await findEngine();
  const fix = 'install the fleet again, with its optional packages: npm ci, without --omit=optional';
  if (engine === null) {
    return unwell('search', `no ripgrep for ${process.platform}-${process.arch}: grep, glob and list refuse`, fix);
  }
  return await attempt('search', fix, async () => {
    const run = { cwd: '/', env: {}, signal: AbortSignal.timeout(10_000), timeoutMs: 5_000 };
    const { code, output } = await runGuarded(engine, ['--version'], run);
    const [first = ''] = output.split('\n');
    return code === 0 ? well('search', first) : unwell('search', `ripgrep does not run: ${first}`, fix);
  });
}

/** Every variable with its value, its origin, and whether `.env` has another value. */
export function checkVariables(config: Config): CheckResult[] {
  const values: Record<string, unknown> = { ...config };
  return environmentNames.map((name) => {
    const isOwn = name === 'REDIS_URL' && config.embedded !== null;
    const origin = config.origins[name] ?? (isOwn ? "the fleet's own Redis" : 'default');
    const note = config.shadowed.includes(name) ? '; .env says otherwise, the shell counts' : '';
    return well(name, values[name] === undefined ? 'not set' : `${show(name, values[name])} (${origin}${note})`);
  });
}

/** What is wrong with the fleet's home and its `.env`, besides the values; empty: nothing. */
export function checkHome({ home, unread }: Config): CheckResult[] {
  if (!existsSync(home)) return [unwell('FLEET_HOME', `${home} is missing`, 'name the folder that holds .env')];
  return unread.map((name) => unwell(name, 'nothing reads it in .env', 'correct the name; .env.example lists all'));
}

/** Whether the fleet can make paid calls. */
export function checkKey(config: Config): CheckResult {
  if (isOffline(config)) return well('models', 'simulated (FLEET_OFFLINE=1): nothing is paid');
  if (config.ANTHROPIC_API_KEY !== undefined) return well('models', 'a key is set; --live tries it');
  return unwell(
    'models',
    'no ANTHROPIC_API_KEY',
    `put the key into ${config.home}/.env, or set FLEET_OFFLINE=1 for simulated models`,
  );
}

/** Whether the folders of FLEET_WORKSPACES exist on this host and can be used. */
export async function checkWorkspaces(config: Config): Promise<CheckResult[]> {
  const entries = Object.entries(config.FLEET_WORKSPACES);
  if (entries.length === 0)
    return [well('workspaces', 'none: tasks get no files (FLEET_WORKSPACES=name=/folder names some)')];
  return Promise.all(entries.map(([name, path]) => checkWorkspace(name, path)));
}

async function checkWorkspace(name: string, path: string): Promise<CheckResult> {
  const what = `workspace ${name}`;
  try {
    if (!(await stat(path)).isDirectory())
      return unwell(what, `${path} is no folder`, 'name a folder in FLEET_WORKSPACES');
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return well(what, path);
  } catch {
    return unwell(what, `${path} is missing or closed to this user`, `mkdir -p ${path}, or correct FLEET_WORKSPACES`);
  }
}

function show(name: string, value: unknown): string {
  if (value === undefined) return 'not set';
  if (HIDDEN.has(name)) return 'set, not shown';
  if (typeof value !== 'string') return showStructure(value);
  if (name === 'REDIS_URL') return redisAddress(value);
  return name.endsWith('_BASE_URL') ? new URL(value).origin : value;
}

function showStructure(value: unknown): string {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const items = Array.isArray(value) ? value : isMap ? Object.entries(value).map((entry) => entry.join('=')) : [value];
  return items.length === 0 ? 'none' : items.join(',');
}
