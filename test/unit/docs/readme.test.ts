import { existsSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { queueRegistry } from '../../../queues/registry.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { environmentNames, loadConfig } from '../../../src/config/environment.ts';
import {
  CancelledError,
  InvalidJobError,
  ProviderUnavailableError,
  QuarantinedError,
  TASK_FAILURE_REASONS,
} from '../../../src/errors.ts';
import { createToolset } from '../../../src/haiku/toolset.ts';
import { toFailureReason } from '../../../src/jobs/outcomes/outcomes.ts';
import { createKeys } from '../../../src/redis/keys.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
const MAX_IMAGE_BYTES = 200_000;

/** Text between backquotes, outside of blocks. */
const spans = [...readme.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
const shellLines = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block = '']) => block.split('\n'))
  .map((line) => line.replace(/\s+#.*$/, '').trim())
  .filter(Boolean);

/** Cells of the rows of the tables in the section whose heading begins with these words; without their heads. */
function table(heading: string): string[][] {
  const section = new RegExp(`^#+ ${heading}[^\\n]*\\n([\\s\\S]*?)(?=^#)`, 'm').exec(readme)?.[1] ?? '';
  const lines = section.split('\n');
  const rows = lines.filter(
    (line, at) => line.startsWith('|') && !line.startsWith('|-') && lines[at + 1]?.startsWith('|-') !== true,
  );
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const sorted = (words: string[]): string[] => words.toSorted((a, b) => a.localeCompare(b));
const bare = (cell = ''): string => cell.replaceAll('`', '');

describe('the command line of the README', () => {
  const program = buildProgram();
  const lines = [...shellLines, ...spans]
    .flatMap((line) => line.split('&&'))
    .map((line) => line.trim().replace(/^.*\$\(|\)"$|^npx /g, ''))
    .filter((line) => /^fleet [a-z-]/.test(line));

  it('names many commands', () => expect(lines.length).toBeGreaterThan(40));

  it.each([...new Set(lines)])('%s', (line) => {
    const [, ...words] = line.replaceAll(/"[^"]*"/g, 'TEXT').split(/\s+/);
    let command: Command = program;
    for (const word of words) command = command.commands.find((sub) => sub.name() === word) ?? command;
    if (words[0]?.startsWith('-')) return;
    expect(command, 'a known command').not.toBe(program);
    expect(words.filter((word) => word.startsWith('-') && !has(command, word))).toEqual([]);
  });

  it('names only options that some command has', () => {
    const all = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)];
    const flags = spans.filter((text) => text.startsWith('--')).map((text) => text.split(' ')[0] ?? '');
    expect(flags.filter((flag) => !all.some((command) => has(command, flag)))).toEqual([]);
  });

  function has(command: Command, flag: string): boolean {
    return (
      flag === '--help' ||
      flag === '--version' ||
      command.options.some(({ long, short }) => flag === long || flag === short)
    );
  }
});

describe('the tables of the README', () => {
  it('list every variable, with its default', () => {
    const config: Record<string, unknown> = { ...loadConfig({ FLEET_HOME: join(tmpdir(), 'no-home-of-a-fleet') }) };
    const toText = (value: unknown): string =>
      typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    const listed = table('Environment').map(([name, value]) => `${bare(name)} ${bare(value)}`);
    const known = environmentNames.map((name) => `${name} ${toText(config[name])}`);
    expect(sorted(listed)).toEqual(sorted(known)); // each exactly once
  });

  it('list every queue, as it is defined', () => {
    const days = (seconds: number): string => `${seconds / 86_400} ${seconds === 86_400 ? 'day' : 'days'}`;
    const listed = table('Queues').map(([name, job, , ...rest]) => [bare(name), bare(job), ...rest]);
    expect(listed).toEqual(
      Object.values(queueRegistry).map(({ name, jobName, attempts, timeoutMs, keep }) => [
        name,
        jobName,
        String(attempts),
        `${(timeoutMs / 60_000).toLocaleString('en-US')} min`,
        ...[keep.completed, keep.failed].map(({ age, count }) => `${days(age)}, ${count.toLocaleString('en-US')}`),
      ]),
    );
  });

  it('list every reason of a failure', () => {
    const others = [
      new InvalidJobError(''),
      new QuarantinedError(''),
      new ProviderUnavailableError('', false, ''),
      new CancelledError(''),
      new Error(''),
    ].map((error) => toFailureReason(error));
    const listed = table('Why a task fails').flatMap(([reasons]) => bare(reasons).split(', '));
    expect(sorted(listed)).toEqual(sorted([...TASK_FAILURE_REASONS, ...others]));
  });

  it('name keys and channels as they are', () => {
    const keys = createKeys(null);
    const listed = table('For other programs').flatMap(([cell]) => bare(cell).split(', '));
    expect(listed).toEqual([
      keys.finding('<id>'),
      keys.workerStatus('<id>'),
      keys.workerTasks('<id>'),
      keys.cost('haiku'),
      keys.cost('sonnet'),
      keys.cost('gemini'),
      keys.contextActive,
      keys.haltReason,
      keys.channelFindings,
      keys.channelCompletions,
      keys.query('<id>'),
      keys.channelQueries,
      keys.response('<id>'),
      keys.channelResponses,
      keys.shardQuota(1).replace('1', '<N>'),
      keys.shardStatus(1).replace('1', '<N>'),
    ]);
  });

  it('name benchmarks that there are', () => {
    const source = readFileSync(join(root, 'bench/main.ts'), 'utf8');
    const names = table('Numbers').map(([name]) => bare(name));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !new RegExp(`^  '?${name}'?: measure`, 'm').test(source))).toEqual([]);
  });
});

it('the README names every tool of a worker', () => {
  const { definitions } = createToolset({ workspace: true, runAllow: ['make'], httpAllow: ['example.org'] });
  expect(definitions.map(({ name }) => name).filter((name) => !spans.includes(name))).toEqual([]);
});

it('the README names npm scripts that there are', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const names = [...readme.matchAll(/npm (?:run ([a-z]+)|(test))/g)].map(([, script, test]) => script ?? test ?? '');
  expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
});

it('links and pictures lead somewhere, and pictures are small', () => {
  const targets = [...`${readme}\n${changelog}`.matchAll(/\]\(([^)#\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !target.startsWith('https://'));
  expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
  const images = targets.filter((target) => target.endsWith('.png'));
  expect(images.map((image) => dirname(image))).toEqual(images.map(() => 'docs/images'));
  expect(images.filter((image) => statSync(join(root, image)).size > MAX_IMAGE_BYTES)).toEqual([]);
});
