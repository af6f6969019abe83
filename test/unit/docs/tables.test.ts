import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AUDIT_VERBS } from '../../../src/audit/types.ts';
import { queueRegistry } from '../../../queues/registry.ts';
import { taskInputSchema } from '../../../queues/tasks.ts';
import { environmentNames, loadConfig } from '../../../src/config/environment.ts';
import {
  CancelledError,
  InvalidJobError,
  ProviderUnavailableError,
  QuarantinedError,
  TASK_FAILURE_REASONS,
} from '../../../src/errors.ts';
import { createToolset } from '../../../src/haiku/toolset.ts';
import { toFailureReason } from '../../../src/jobs/outcomes/failure.ts';
import { createKeys } from '../../../src/redis/keys.ts';
import { makeFolder } from '../../support/folder.ts';
import { bare, pageOf, root, sorted, table } from '../../support/docs.ts';

it('docs/environment.md lists every variable, with its default', () => {
  const config: Record<string, unknown> = { ...loadConfig({ FLEET_HOME: makeFolder(), XDG_DATA_HOME: makeFolder() }) };
  const toText = (value: unknown): string =>
    typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  const rows = [...table('docs/environment.md', 'The fleet'), ...table('docs/environment.md', 'Librarians')];
  const listed = rows.map(([name, value]) => `${bare(name)} ${bare(value)}`);
  const known = environmentNames.map((name) => `${name} ${toText(config[name])}`);
  expect(sorted(listed)).toEqual(sorted(known)); // each exactly once
});

it('docs/other-programs.md lists every queue, as it is defined', () => {
  const days = (seconds: number): string => `${seconds / 86_400} ${seconds === 86_400 ? 'day' : 'days'}`;
  const listed = table('docs/other-programs.md', 'Queues').map(([name, job, , ...rest]) => [
    bare(name),
    bare(job),
    ...rest,
  ]);
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

it('docs/audit.md lists every verb of the audit', () => {
  const listed = table('docs/audit.md', 'What is in it').flatMap(([verbs]) => bare(verbs).split(', '));
  expect(sorted(listed)).toEqual(sorted([...AUDIT_VERBS]));
});

it('docs/failures.md lists every reason of a failure', () => {
  const others = [
    new InvalidJobError(''),
    new QuarantinedError(''),
    new ProviderUnavailableError('', false, ''),
    new CancelledError(''),
    new Error(''),
  ].map((error) => toFailureReason(error));
  const listed = table('docs/failures.md', 'Why a task fails').flatMap(([reasons]) => bare(reasons).split(', '));
  expect(sorted(listed)).toEqual(sorted([...TASK_FAILURE_REASONS, ...others]));
});

it('docs/other-programs.md names keys and channels as they are', () => {
  const keys = createKeys(null);
  const listed = table('docs/other-programs.md', 'Keys').flatMap(([cell]) => bare(cell).split(', '));
  expect(listed).toEqual([
    keys.finding('<id>'),
    keys.workerStatus('<id>'),
    keys.workerTasks('<id>'),
    keys.cost('haiku'),
    keys.cost('sonnet'),
    keys.cost('gemini'),
    keys.cost('<vendor>'),
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

it('docs/numbers.md names every benchmark, and no other', () => {
  const source = readFileSync(join(root, 'bench/main.ts'), 'utf8');
  const known = [...source.matchAll(/^  '?([a-z-]+)'?: measure/gm)].map(([, name = '']) => name);
  const listed = table('docs/numbers.md', 'Numbers').map(([name]) => bare(name));
  expect(known.length).toBeGreaterThan(0);
  expect(sorted(listed)).toEqual(sorted(known));
});

it('docs/tasks.md names every tool of a worker', () => {
  const options = { workspace: true, runAllow: ['make'], httpAllow: ['example.org'], archive: true };
  const { spans } = pageOf('docs/tasks.md');
  expect(createToolset(options).definitions.filter(({ name }) => !spans.includes(name))).toEqual([]);
});

it('docs/tasks.md lists every key of a task', () => {
  const listed = table('docs/tasks.md', 'What a task can say').map(([key]) => bare(key));
  expect(sorted(listed)).toEqual(sorted(Object.keys(taskInputSchema.shape)));
});

it('docs/glossary.md gives each word one meaning', () => {
  const words = table('docs/glossary.md', 'Words').flatMap(([cell = '']) => cell.split(', '));
  expect(words.length).toBeGreaterThan(0);
  expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
});
