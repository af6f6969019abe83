import { constants, existsSync } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FleetError } from '../errors.ts';
import { environmentNames, isOffline, type Config } from '../config/environment.ts';
import { redisAddress } from '../config/redis-url.ts';
import { findKeyProblem, findNameProblems } from '../models/create/known-models.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { countOf } from '../text/plural.ts';
import { findWorkspaceProblem } from '../config/workspaces.ts';
import { findEngine } from '../haiku/tools/search/engine/engine.ts';
import { runGuarded } from '../process/guarded-program.ts';
import { attempt, unwell, well, type CheckResult } from './check.ts';
import { FREE_LOCAL } from '../pricing/free-local.ts';

/** Variables whose value is not shown: keys, passwords, and addresses that may contain one. */
const HIDDEN = new Set([
  'ANTHROPIC_API_KEY',
  'GEMINI_API_KEY',
  'DEEPSEEK_API_KEY',
  'DASHBOARD_PASSWORD',
  'FLEET_NOTIFY',
]);

/** Below it, nothing can be stored safely. */
const LEAST_FREE_BYTES = 16 * 1_048_576;

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

/** Whether the folders that the fleet writes to can be written: the fleet's data, pm2's, and that of temporary files. */
export async function checkFolders({ dataFolder }: Config): Promise<CheckResult[]> {
  const pm2 = process.env.PM2_HOME ?? join(process.env.HOME ?? homedir(), '.pm2');
  const folders: [string, string, string][] = [
    ['FLEET_DATA', dataFolder, 'give this user the right to write there, or set FLEET_DATA'],
    ['PM2_HOME', pm2, 'give this user the right to write there, or set PM2_HOME in the shell'],
    ['TMPDIR', tmpdir(), 'free space there, give this user the right to write, or set TMPDIR'],
  ];
  const results = await Promise.all(folders.map((folder) => checkFolder(...folder)));
  return results.filter(({ ok }) => !ok);
}

/** A folder that is not there yet is made in the nearest one that is. */
async function checkFolder(what: string, folder: string, fix: string): Promise<CheckResult> {
  let place = folder;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return attempt(what, fix, async () => {
    if (!(await stat(place)).isDirectory()) return unwell(what, `${place} is no folder`, fix);
    await access(place, constants.W_OK | constants.X_OK).catch(() => {
      throw new FleetError(`${folder} cannot be written by this user`);
    });
    const { bavail, bsize } = await statfs(place);
    return bavail * bsize < LEAST_FREE_BYTES ? unwell(what, `the disk of ${folder} is full`, fix) : well(what, folder);
  });
}

/** Which `.env` is read, and what of it, or of the shell's variables, a person should look at. */
export function checkHome({ home, notes, foreign }: Config): CheckResult[] {
  const path = join(home, '.env');
  return [
    well('.env', existsSync(path) ? path : `none at ${path}`),
    ...notes.map(({ name, seen, fix }) => unwell(name, seen, fix)),
    ...(foreign.length === 0 ? [] : [well('not read', `${foreign.join(', ')}: names of other programs`)]),
  ];
}

/** Whether the fleet can make paid calls: what `models.json` and the variables name, and the keys of those models. */
export function checkModels(config: Config): CheckResult[] {
  const catalog = catalogOf(config);
  const wrong = findNameProblems(config, catalog, new Date());
  if (wrong.length > 0)
    return wrong.map(({ place, problem }) => unwell(place, problem, 'fleet models lists those there are'));
  const { models, routes } = config;
  const file = models.length + routes.length === 0 ? [] : [well('models.json', describeRows(config))];
  if (isOffline(config)) return [...file, well('models', 'simulated (FLEET_OFFLINE=1): nothing is paid')];
  const named = [
    config.FLEET_HAIKU_MODEL,
    config.FLEET_SONNET_MODEL,
    config.FLEET_COORDINATOR_MODEL,
    ...routes.flatMap(({ use }) => use),
  ];
  const lacking = new Map<string, string[]>();
  for (const id of new Set(named)) {
    const problem = findKeyProblem(catalog.find(id, new Date()), config);
    if (problem !== null) lacking.set(problem, [...(lacking.get(problem) ?? []), id]);
  }
  if (lacking.size === 0) return [...file, well('models', 'keys are set for all that are named; --live tries them')];
  const fix = `put the key into ${config.home}/.env, or set FLEET_OFFLINE=1 for simulated models`;
  return [...file, ...[...lacking].map(([problem, ids]) => unwell('models', `${problem}, for ${ids.join(', ')}`, fix))];
}

function describeRows({ models, routes }: Config): string {
  const local = models.filter(({ price }) => price === 'free-local').map(({ id }) => id);
  const free = local.length === 0 ? '' : `; ${FREE_LOCAL}, so that no budget holds it: ${local.join(', ')}`;
  return `${countOf(models.length, 'model')}, ${countOf(routes.length, 'route')}${free}`;
}

/** Whether the folders of FLEET_WORKSPACES exist on this host and can be used. */
export async function checkWorkspaces(config: Config): Promise<CheckResult[]> {
  const entries = Object.entries(config.FLEET_WORKSPACES);
  if (entries.length === 0)
    return [well('workspaces', 'none: tasks get no files (FLEET_WORKSPACES=name=/folder names some)')];
  return Promise.all(entries.map(([name, path]) => checkWorkspace(name, path)));
}

async function checkWorkspace(name: string, path: string): Promise<CheckResult> {
  const problem = await findWorkspaceProblem(path);
  const what = `workspace ${name}`;
  return problem === null ? well(what, path) : unwell(what, problem.seen, problem.fix);
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
