import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ShutdownError } from '../../../src/errors.ts';
import { readPatch, readPatchText } from '../../../src/patches/record.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import { makeFolder } from '../../support/folder.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { commitAll, initRepository, runGit } from '../../support/person-git.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const read = (file_path: string): Step => ({ tools: [{ name: 'read', input: { file_path } }] });
const edit = (file_path: string, old_string: string, new_string: string): Step => ({
  tools: [{ name: 'edit', input: { file_path, old_string, new_string } }],
});
const write = (file_path: string, content: string): Step => ({
  tools: [{ name: 'write', input: { file_path, content } }],
});

/** A model that gives these replies, one a call. */
const play = (...steps: Step[]) => createScriptedModel((_, call) => steps[call - 1] ?? 'done');

const worktrees = (): string => join(redis.folder, redis.swarm, 'worktrees');

async function run(fleet: TestFleet, task: object = {}) {
  const job = await fleet.tasks.add({ description: 'Change "tea"', workspace: 'site', ...task });
  return await job.finding({ timeoutMs: 20_000 });
}

test('a task that writes does so in a tree of its own, and its finding carries the patch', async () => {
  const model = play(read('a.txt'), edit('a.txt', 'tea', 'mate'), write('new/b.txt', 'one\ntwo\n'));
  const fleet = await useFleet(redis, { site: { 'a.txt': 'sells tea\n', 'c.txt': 'c\n' } });
  const base = initRepository(fleet.site);
  await writeFile(join(fleet.site, 'c.txt'), 'the person works\n');
  await fleet.startHaiku(model);

  const finding = await run(fleet);

  expect(finding.patch).toEqual({ base, head: expect.any(String), files: 2, added: 3, removed: 1, state: 'pending' });
  expect(finding.changes).toEqual([
    { path: 'a.txt', added: 1, removed: 1, lines: '1-1' },
    { path: 'new/b.txt', added: 2, removed: 0, lines: '1-2' },
  ]);
  expect(finding.files_changed).toEqual(['a.txt', 'new/b.txt']);
  expect(await readFile(join(fleet.site, 'a.txt'), 'utf8')).toBe('sells tea\n');
  expect(runGit(fleet.site, 'status', '--porcelain')).toBe('M c.txt');
  const branch = `fleet/${finding.job_id}`;
  expect(runGit(fleet.site, 'rev-parse', branch)).toBe(finding.patch?.head);
  expect(runGit(fleet.site, 'log', '--format=%an <%ae>%n%B', `${base}..${branch}`)).toBe(
    `haiku-fleet <worker@haiku-fleet.invalid>\nChange "tea"\n\nFleet-Task: ${finding.job_id}\nFleet-Model: claude-haiku-5-5\nFleet-Cost: $0.000440`,
  );
  const { db } = fleet.inner;
  expect(await readPatch(db, finding.finding_id)).toMatchObject({
    branch,
    workspace: 'site',
    leftOut: [],
    state: 'pending',
  });
  expect(String(await readPatchText(db, finding.finding_id))).toContain('-sells tea\n+sells mate\n');
  const told = JSON.stringify(model.calls);
  expect(told).toContain(
    `Git: main; changed: M c.txt. You work in a tree of your own once you write, from commit ${base.slice(0, 7)}`,
  );
  expect(told).toContain(`You now work in a tree of your own, on branch ${branch}`);
});

test('a task that only reads gets no tree, and sees what the person has not committed', async () => {
  const model = play(read('a.txt'));
  const fleet = await useFleet(redis, { site: { 'a.txt': 'tea\n' } });
  initRepository(fleet.site);
  await writeFile(join(fleet.site, 'a.txt'), 'unsaved words\n');
  await fleet.startHaiku(model);
  expect(await run(fleet)).not.toHaveProperty('patch');
  expect(JSON.stringify(model.calls[1])).toContain('unsaved words');
  expect(existsSync(worktrees())).toBe(false);
  expect(runGit(fleet.site, 'branch', '--list', 'fleet/*')).toBe('');
});

test('what the task read of the person and is otherwise in its tree is named, and must be read again', async () => {
  const model = play(read('a.txt'), edit('a.txt', 'unsaved', 'x'), read('a.txt'), edit('a.txt', 'tea', 'mate'));
  const fleet = await useFleet(redis, { site: { 'a.txt': 'tea\n' } });
  initRepository(fleet.site);
  await writeFile(join(fleet.site, 'a.txt'), 'unsaved words\n');
  await fleet.startHaiku(model);
  const finding = await run(fleet);
  expect(JSON.stringify(model.calls[2])).toContain('Not as you read them, read them again before you use them: a.txt');
  expect(finding.changes).toEqual([{ path: 'a.txt', added: 1, removed: 1, lines: '1-1' }]);
  expect(await readFile(join(fleet.site, 'a.txt'), 'utf8')).toBe('unsaved words\n');
});

test('a patch that is empty leaves no tree and no branch', async () => {
  const fleet = await useFleet(redis, { site: { 'a.txt': 'tea\n' } });
  const base = initRepository(fleet.site);
  await fleet.startHaiku(play(read('a.txt'), edit('a.txt', 'tea', 'mate'), edit('a.txt', 'mate', 'tea')));
  const finding = await run(fleet);
  expect(finding.patch).toEqual({ base, head: base, files: 0, added: 0, removed: 0, state: 'empty' });
  expect(finding.files_changed).toEqual([]);
  await expect.poll(() => readdir(worktrees())).toEqual([]);
  await expect.poll(() => runGit(fleet.site, 'branch', '--list', 'fleet/*')).toBe('');
});

test('isolate false, and a workspace without git or without a commit, mean the shared tree', async () => {
  const model = createScriptedModel(({ messages }) => (messages.length === 1 ? write('b.txt', 'x\n') : 'done'));
  const fleet = await useFleet(redis, { site: { 'a.txt': 'tea\n' }, haiku: model });
  expect(await run(fleet)).toMatchObject({ files_changed: ['b.txt'] });
  runGit(fleet.site, 'init', '-q');
  expect(await run(fleet)).not.toHaveProperty('patch');
  expect(JSON.stringify(model.calls.at(-1))).toContain(
    "You work in the person's own tree: the repository has no commit yet",
  );
  commitAll(fleet.site, 'First');
  expect(await run(fleet, { isolate: false })).not.toHaveProperty('patch');
  await writeFile(join(fleet.site, '.git/objects/pack/pack-1.promisor'), '');
  expect(await run(fleet)).not.toHaveProperty('patch');
  expect(JSON.stringify(model.calls.at(-1))).toContain('the repository is a partial clone');
  expect(existsSync(worktrees())).toBe(false);
});

test('a lost tree is made again from the stored turns, and the model hears nothing else', async () => {
  const model = play(
    read('a.txt'),
    edit('a.txt', 'tea', 'mate'),
    write('b.txt', 'one\n'),
    edit('a.txt', 'mate', 'coffee'),
  );
  const fleet = await useFleet(redis, { site: { 'a.txt': 'tea\n' } });
  const base = initRepository(fleet.site);
  let isMoved = false;
  await fleet.startHaiku({
    ...model,
    async call(request, options) {
      // Another host takes the task over, whose repository is a copy; the person has committed meanwhile.
      if (model.calls.length === 3 && !isMoved) {
        isMoved = true;
        await rm(worktrees(), { recursive: true });
        await writeFile(join(fleet.site, 'a.txt'), 'meanwhile\n');
        commitAll(fleet.site, 'Of the person');
        throw new ShutdownError('this worker goes away');
      }
      return await model.call(request, options);
    },
  });
  const finding = await run(fleet);
  expect(finding).toMatchObject({ recovered: 3, patch: { base, files: 2, added: 2, removed: 1, state: 'pending' } });
  expect(runGit(fleet.site, 'show', `${finding.patch?.head}:a.txt`)).toBe('coffee');
  expect(JSON.stringify(model.calls.at(-1))).not.toContain('meanwhile');
  expect(model.calls).toHaveLength(5);
});

test('a job that a worker of the version before began goes on in the shared tree', async () => {
  const model = play(read('a.txt'), edit('a.txt', 'tea', 'mate'));
  const fleet = await useFleet(redis, { site: { 'a.txt': 'tea\n' } });
  initRepository(fleet.site);
  const { keys } = redis;
  await fleet.startHaiku({
    ...model,
    async call(request, options) {
      const [turns] = await redis.redis.keys(keys.turns('*'));
      if (model.calls.length === 1 && turns !== undefined) {
        const stored = await redis.redis.hgetall(turns);
        const [field = '', text = ''] = Object.entries(stored).find(([name]) => /^r:.*:0$/.test(name)) ?? [];
        const reply = JSON.parse(text) as { first: { base?: object } };
        if (reply.first.base !== undefined) {
          delete reply.first.base;
          await redis.redis.hset(turns, field, JSON.stringify(reply));
          throw new ShutdownError('this worker goes away');
        }
      }
      return await model.call(request, options);
    },
  });
  const finding = await run(fleet);
  expect(finding).not.toHaveProperty('patch');
  expect(finding.files_changed).toEqual(['a.txt']);
  expect(await readFile(join(fleet.site, 'a.txt'), 'utf8')).toBe('mate\n');
});

test('a filtered file cannot be written, and a tree that cannot be made fails the task', async () => {
  const steps = [read('art.psd'), write('art.psd', 'x\n'), write('new.psd', 'x\n'), write('a.txt', 'x\n')];
  const model = createScriptedModel(({ messages }) => steps[(messages.length - 1) / 2] ?? 'done');
  const fleet = await useFleet(redis, { site: { 'art.psd': 'pointer\n', '.gitattributes': '*.psd filter=lfs\n' } });
  initRepository(fleet.site);
  await fleet.startHaiku(model);
  expect(await run(fleet)).toMatchObject({ files_changed: ['a.txt'], tool_errors: { failed: 2 } });
  expect(JSON.stringify(model.calls.at(-1))).toContain('cannot be written: the filter ');
  await writeFile(join(fleet.site, 'art.psd'), 'another\n');
  await expect(run(fleet)).rejects.toThrow(/workspace: .*no tree of its own: "art\.psd" is kept by the filter "lfs"/);
});

test('twenty tasks of one batch on two workers: twenty patches, each with its own file', async () => {
  const count = 20;
  const names = Array.from({ length: count }, (_, i) => `auth${i}.js`);
  const fleet = await useFleet(redis, { site: Object.fromEntries(names.map((name) => [name, `// ${name}\n`])) });
  const base = initRepository(fleet.site);
  await writeFile(join(fleet.site, 'mine.txt'), 'of the person\n');
  const git = (...args: string[]): Step => ({ tools: [{ name: 'git', input: { args } }] });
  const model = createScriptedModel(({ messages }) => {
    const name = /auth\d+\.js/.exec(JSON.stringify(messages[0]))?.[0] ?? '';
    const steps = [
      read(name),
      edit(name, '// ', '// Document '),
      git('add', name),
      git('commit', '-m', `Document ${name}`),
    ];
    return steps[(messages.length - 1) / 2] ?? 'done';
  });
  await fleet.startHaiku(model);
  await fleet.startHaiku(model);
  const jobs = await Promise.all(
    names.map((name) => fleet.tasks.add({ description: `Document ${name}`, workspace: 'site' })),
  );
  const findings = await Promise.all(jobs.map((job) => job.finding({ timeoutMs: 60_000 })));
  for (const [i, name] of names.entries()) {
    const { files_changed, patch, tool_errors } = findings[i] ?? {};
    expect(tool_errors).toBeUndefined();
    expect(files_changed).toEqual([name]);
    expect(runGit(fleet.site, 'log', '--format=%s', '--name-only', `${base}..${patch?.head}`)).toBe(
      `Document ${name}\n\n${name}`,
    );
  }
  expect(runGit(fleet.site, 'status', '--porcelain')).toBe('?? mine.txt');
  expect(runGit(fleet.site, 'rev-parse', 'HEAD')).toBe(base);
}, 60_000);

test('tasks of one workspace run their programs at the same time', async () => {
  const together = 10;
  const barrier = makeFolder();
  // No task ends before ten have begun.
  const wait = `touch ${barrier}/$$; while [ "$(ls ${barrier} | wc -l)" -lt ${together} ]; do sleep 0.05; done`;
  const model = createScriptedModel(({ messages }) =>
    messages.length === 1 ? { tools: [{ name: 'run', input: { argv: ['sh', 'wait.sh'] } }] } : 'done',
  );
  const env = { FLEET_RUN_ALLOW: 'sh', FLEET_HAIKU_CONCURRENCY: '20' };
  const fleet = await useFleet(redis, { site: { 'wait.sh': wait }, env });
  initRepository(fleet.site);
  await fleet.startHaiku(model);
  const findings = await Promise.all(Array.from({ length: together }, () => run(fleet)));
  for (const finding of findings) expect(finding).toMatchObject({ patch: { state: 'empty' } });
  expect(JSON.stringify(model.calls.at(-1))).toContain('[exit code 0, no output]');
  expect(runGit(fleet.site, 'status', '--porcelain')).toBe('');
}, 60_000);
