import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, it, type TestContext } from 'vitest';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useFolder } from '../../support/folder.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { startScript } from '../../support/process/script.ts';

const run = promisify(execFile);
const redis = useRedis();
const root = fileURLToPath(new URL('../../../', import.meta.url));
const compiler = join(root, 'node_modules/typescript/bin/tsc');

const folder = useFolder();
let files: string[] = [];
let unreachable: string | null = null;

/** The variables of `npm test` about this package must not reach an npm that works on another package. */
const outerEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|command|config_local)/.test(name)),
);

async function npm(args: string[], cwd: string): Promise<string> {
  return (await run('npm', args, { cwd, env: outerEnv, maxBuffer: 16 * 1024 * 1024 })).stdout;
}

beforeAll(async () => {
  const packed = JSON.parse(
    await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder.path, root], folder.path),
  ) as [{ filename: string; files: { path: string }[] }];
  files = packed[0].files.map(({ path }) => path);
  writeFileSync(join(folder.path, 'package.json'), '{"name":"a-script","private":true,"type":"module"}');
  try {
    await npm(
      ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder.path, packed[0].filename)],
      folder.path,
    );
  } catch (error) {
    const text = String(error);
    if (!/ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTCACHED|network/i.test(text)) throw error;
    unreachable = 'the package registry is not reachable, and what is needed is not in the cache';
  }
}, 300_000);

function needsInstall(context: TestContext): void {
  if (unreachable !== null) context.skip(unreachable);
}

/** Type-checks a script with a strict compiler, libraries included. @returns the output of the compiler */
async function compile(name: string, text: string, ...more: string[]): Promise<string> {
  writeFileSync(join(folder.path, `${name}.ts`), text);
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', 'false', '--types', ''];
  const args = [compiler, ...options, ...more, '--ignoreConfig', `${name}.ts`];
  try {
    return (await run(process.execPath, args, { cwd: folder.path, maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout);
    throw error;
  }
}

const script = `
import { connectFleet, defineTask, formatUsd, JobFailedError, type StoredFinding } from 'haiku-fleet';
import { z } from 'zod';

const count = defineTask({
  name: 'count',
  input: z.object({ file: z.string() }),
  output: z.object({ lines: z.int() }),
  prompt: ({ file }) => \`How many lines has \${file}?\`,
});
const fleet = await connectFleet();
const job = await fleet.tasks.add(count, { file: 'a.ts' });
const { lines } = await job.result({ timeoutMs: 30_000 });
const doubled: number = lines * 2;
const finding: StoredFinding = await job.finding();
const report = await fleet.tasks.addMany([{ description: 'more' }], { batch: 'more' });
for await (const end of fleet.tasks.ends(report.ids)) {
  if (end.state === 'failed') throw new JobFailedError(end.id, end.reason);
}
const costs = await fleet.costs({ by: 'batch' });
const { leftUsd }: { leftUsd: string | null } = await fleet.budget.read();
if (leftUsd === null) throw new Error('no budget');
process.stdout.write([doubled, finding.topics[0], report.added, formatUsd(costs.total.costNano, 6)].join(' '));
await fleet[Symbol.asyncDispose]();
export async function later(): Promise<void> {
  await using other = await connectFleet();
  await other.tasks.ends([], { signal: AbortSignal.timeout(1) });
}

declare const process: { stdout: { write(text: string): void } };
`;

it('publishes what runs, and no tests, sources or secrets', () => {
  const wanted = ['package.json', 'CHANGELOG.md', 'ecosystem.config.js', '.env.example', 'scripts/require-node.cjs'];
  if (existsSync(join(root, 'README.md'))) wanted.push('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md');
  const built = ['index.js', 'index.d.ts', 'cli/main.js', 'redis/scripts/begin-turn.lua'].map(
    (name) => `dist/src/${name}`,
  );
  expect(files).toEqual(
    expect.arrayContaining([...wanted, ...built, 'dist/workers/haiku.js', 'dist/dashboards/server.js']),
  );
  const others = files.filter((path) => !wanted.includes(path) && !/^(dist\/|docs\/|examples\/|LICENSE)/.test(path));
  expect(others).toEqual([]);
  const sources = files.filter((path) => /(^|\/)(test|bench)\/|(?<!\.d)\.ts$|(^|\/)\.env$/.test(path));
  expect(sources.filter((path) => !path.startsWith('examples/'))).toEqual([]);
  expect(sources).toContain('examples/ask-one.ts');
});

it('type-checks a strict script that has nothing else installed, and runs it', async (context) => {
  needsInstall(context);
  expect(await compile('good', script)).toBe('');
  await useFleet(redis, {
    haiku: createScriptedModel(({ messages }) =>
      JSON.stringify(messages).includes('<schema>') ? '{"lines":21}' : 'done',
    ),
  });
  const { code, stdout, stderr } = await startScript(redis, ['good.js'], { cwd: folder.path }).done;
  expect(stderr).toBe('');
  expect(stdout).toBe('42 count 1 $0.000220');
  expect(code).toBe(0);
});

it('makes no compiler load the queue, the Redis client or the model kit', async (context) => {
  needsInstall(context);
  const loaded = (await compile('listed', script, '--noEmit', '--listFiles')).split('\n');
  const packages = loaded.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1] ?? '');
  expect([...new Set(packages)].filter((name) => !/^$|typescript/.test(name)).sort()).toEqual(['haiku-fleet', 'zod']);
});

it('brings examples that run where it is installed, and their sources to copy', async (context) => {
  needsInstall(context);
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'tea') });
  const example = startScript(redis, ['node_modules/haiku-fleet/dist/examples/ask-one.js'], { cwd: folder.path });
  const { code, stdout, stderr } = await example.done;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('tea');
  expect(await fleet.findings.count()).toBe(1);

  const source = readFileSync(join(folder.path, 'node_modules/haiku-fleet/examples/read-costs.ts'), 'utf8');
  const declared = 'declare const process: { argv: string[] };\n';
  expect(await compile('copied', declared + source, '--noEmit')).toBe('');
});

it('brings the fleet command', async (context) => {
  needsInstall(context);
  const { stdout } = await run('npx', ['--no-install', 'fleet', '--version'], { cwd: folder.path, env: outerEnv });
  expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
});
