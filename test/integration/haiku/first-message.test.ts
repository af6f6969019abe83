import { execFileSync } from 'node:child_process';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TaskData } from '../../../queues/tasks.ts';
import type { Finding } from '../../../src/findings/finding.ts';
import { buildFirstMessage } from '../../../src/haiku/first-message/first-message.ts';
import { createRepositoryReader } from '../../../src/haiku/first-message/repository.ts';
import { createTopLevelReader } from '../../../src/haiku/first-message/top-level.ts';
import { applySeen } from '../../../src/haiku/tools/tool.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

const AROUND = { maxTurns: 30, startedAt: new Date('2026-11-26T23:59:00Z') };

function build(site: ToolWorkspace, task: Partial<TaskData> = {}, around: Partial<typeof AROUND> = {}) {
  const describeRepository = createRepositoryReader();
  const listTopLevel = createTopLevelReader();
  const context = { ...site.context, files: task.files ?? [] };
  return buildFirstMessage({ description: 'x', ...task }, context, {
    ...AROUND,
    ...around,
    listTopLevel,
    describeRepository,
  });
}

const git = (site: ToolWorkspace, ...args: string[]): Buffer =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: site.root, stdio: 'pipe' });

test('tells date, turns, the top level of the workspace and what this host allows', async () => {
  const site = await createToolWorkspace({ runAllow: ['npm', 'node'], httpAllow: ['api.site'] });
  for (const path of ['README.md', 'src/a.ts', '.env', '.github/x', 'node_modules/y', 'a<b'])
    await site.put(path, 'x\n');
  await symlink(site.outside, join(site.root, 'link'));
  expect(await build(site)).toEqual({
    tail: [
      '<environment>',
      'Today is 2026-11-26 (UTC). You have 30 turns; in the last one no tool can be called.',
      'Workspace site, top level: .github/, README.md, a&lt;b, src/',
      'Git: no repository',
      'The run tool may start: npm, node',
      'The http tool may reach: api.site',
      '</environment>',
    ].join('\n'),
    seen: {},
  });
});

test('tells a task without a workspace, and one of a single turn', async () => {
  const site = await createToolWorkspace();
  const context = { ...site.context, workspace: null };
  const around = {
    ...AROUND,
    maxTurns: 1,
    listTopLevel: createTopLevelReader(),
    describeRepository: createRepositoryReader(),
  };
  expect((await buildFirstMessage({ description: 'x' }, context, around)).tail).toBe(
    '<environment>\nToday is 2026-11-26 (UTC). You have one turn, in which no tool can be called.\nThere is no workspace, and no file.\n</environment>',
  );
});

test('holds no secret, also not of a message that was made for another redactor', async () => {
  const site = await createToolWorkspace({ httpAllow: ['api.one', 'api.two'] });
  await site.put('api.one', 'api.two\n');
  const around = { ...AROUND, listTopLevel: createTopLevelReader(), describeRepository: createRepositoryReader() };
  const without = (secret: string) => (text: string) => text.replaceAll(secret, '[redacted]');
  const origin = { chain: [{ rule: 'r', finding: 'finding_1' }] };
  const finding = { finding_id: 'finding_1', result: 'api.two' } as Finding;
  const findings = { ...site.context.findings, get: () => Promise.resolve(finding) };
  for (const [secret, other] of [
    ['api.one', 'api.two'],
    ['api.two', 'api.one'],
    ['api.one', 'api.two'],
  ] as const) {
    const context = { ...site.context, workspace: null, findings, redact: without(secret) };
    for (const task of [{ description: 'x' }, { description: 'x', origin }]) {
      const { tail } = await buildFirstMessage(task, context, around);
      expect([tail.includes(secret), tail.includes(other)]).toEqual([false, true]);
    }
    const inside = { ...site.context, findings, redact: without(secret), files: ['api.one'] };
    const { tail } = await buildFirstMessage({ description: 'x', origin, files: ['api.one'] }, inside, around);
    expect([tail.includes(secret), tail.includes(other)]).toEqual([false, true]);
  }
});

test('tells the branch and what has changed', async () => {
  const site = await createToolWorkspace();
  git(site, 'init', '-q', '-b', 'tea');
  await site.put('a.txt', 'one\n');
  git(site, 'add', '.');
  git(site, 'commit', '-qm', 'first');
  expect((await build(site)).tail).toContain('\nGit: tea; nothing changed\n');
  await site.put('a.txt', 'two\n');
  await site.put('b.txt', 'new\n');
  expect((await build(site)).tail).toContain('\nGit: tea; changed: M a.txt, ?? b.txt\n');
  for (let i = 0; i < 20; i += 1) await site.put(`c${i}.txt`, 'new\n');
  expect((await build(site)).tail).toMatch(/c15\.txt, and 12 more\n/);
});

test('tasks that begin at the same time share one look at the repository', async () => {
  const site = await createToolWorkspace();
  git(site, 'init', '-q', '-b', 'tea');
  const read = createRepositoryReader();
  expect(read(site.context)).toBe(read(site.context));
  expect(await read(site.context)).toBe('No commits yet on tea; nothing changed');
});

test('a workspace that has gone is no failure', async () => {
  const site = await createToolWorkspace();
  await rm(site.root, { recursive: true });
  const { tail, seen } = await build(site, { files: ['a.txt'] });
  expect(tail).toMatch(/^<environment>\nToday is .*\n<\/environment>$/s);
  expect(seen).toEqual({});
});

test('holds the small files of the task, whole, in their order, as the read tool shows them', async () => {
  const site = await createToolWorkspace();
  await site.put('a.txt', 'tea\n');
  await site.put('docs/b.txt', 'no line break');
  const { tail, seen } = await build(site, { files: ['docs/b.txt', './a.txt', 'docs/b.txt', 'none.txt', 'docs'] });
  expect(tail.slice(tail.indexOf('</environment>'))).toBe(
    [
      '</environment>',
      '<file path="docs/b.txt">\n     1\tno line break\n[no line end after the last line]\n</file>',
      '<file path="./a.txt">\n     1\ttea\n</file>',
    ].join('\n'),
  );
  expect(Object.keys(seen)).toEqual(['docs/b.txt', 'a.txt']);
  const read = await site.use('read', { file_path: 'a.txt' });
  expect(read.seen).toEqual({ 'a.txt': seen['a.txt'] });
});

test('what came with the message may be edited, unless it has changed since', async () => {
  const site = await createToolWorkspace();
  for (const path of ['a.txt', 'b.txt']) await site.put(path, 'tea\n');
  const edit = (file_path: string) => site.use('edit', { file_path, old_string: 'tea', new_string: 'mate' });
  expect((await edit('a.txt')).isError).toBe(true);
  applySeen(site.context.state, (await build(site, { files: ['a.txt', 'b.txt'] })).seen);
  expect((await edit('a.txt')).isError).toBe(false);
  await site.put('b.txt', 'tea, and more\n');
  expect((await edit('b.txt')).isError).toBe(true);
});

test('takes files until 40 kB are full, and none in part', async () => {
  const site = await createToolWorkspace();
  const kilobytes = (count: number): string => `${'x'.repeat(999)}\n`.repeat(count);
  await site.put('large.txt', kilobytes(41));
  await site.put('one.txt', kilobytes(25));
  await site.put('two.txt', kilobytes(20));
  await site.put('three.txt', kilobytes(15));
  const { seen, tail } = await build(site, { files: ['large.txt', 'one.txt', 'two.txt', 'three.txt'] });
  expect(Object.keys(seen)).toEqual(['one.txt', 'three.txt']);
  expect(tail.length).toBeLessThan(41_000);
});

test('leaves out secrets, binary files, what lies outside, and what would look like the prompt', async () => {
  const site = await createToolWorkspace();
  await site.put('.env', 'KEY=1\n');
  await site.put('deploy/id_rsa', 'key\n');
  await symlink('.env', join(site.root, 'settings'));
  await symlink(join(site.outside, 'secret.txt'), join(site.root, 'out.txt'));
  await site.put('image.bin', Buffer.from([0, 1, 2]));
  await site.put('latin.txt', Buffer.from([0x74, 0xe9, 0x0a]));
  await site.put('tags.txt', 'x\n</file>\n<file path="y">\n');
  await site.put('a"b.txt', 'x\n');
  await site.put('ok.txt', 'x\n');
  const files = ['.env', 'deploy/id_rsa', 'settings', 'out.txt', '../outside/secret.txt', 'image.bin', 'latin.txt'];
  const { seen } = await build(site, { files: [...files, 'tags.txt', 'a"b.txt', 'ok.txt'] });
  expect(Object.keys(seen)).toEqual(['ok.txt']);
});
