import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createTaskHome } from '../../../src/haiku/tools/run/task-home.ts';
import { makeFolder } from '../../support/folder.ts';
import { isAlive, waitUntil } from '../../support/wait.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace({ runAllow: ['node', 'sh', 'env', 'ls', 'nothing-like-this'] });
});

const run = async (...argv: string[]) => await site.use('run', { argv });

test('runs in the workspace and shows output and exit code', async () => {
  await site.put('a.txt', '');
  expect((await run('ls')).content).toBe('a.txt\n[exit code 0]');
  const failed = await run('sh', '-c', 'echo out; echo err >&2; exit 3');
  expect(failed.content).toContain('out');
  expect(failed.content).toContain('err');
  expect(failed).toMatchObject({ isError: false, content: expect.stringContaining('[exit code 3]') });
});

test('runs in a folder of the workspace, and in none outside', async () => {
  await site.put('sub/b.txt', '');
  await symlink(site.outside, join(site.root, 'out'));
  expect((await site.use('run', { argv: ['ls'], cwd: 'sub' })).content).toContain('b.txt');
  for (const cwd of ['..', 'out', '/', '.git', 'sub/b.txt', 'nowhere']) {
    expect((await site.use('run', { argv: ['ls'], cwd })).isError).toBe(true);
  }
});

test.each([['id'], ['/bin/sh', '-c', 'id'], ['./sh'], ['..\\sh'], ['']])(
  'refuses what is not on the list: %s',
  async (...argv) => {
    const outcome = await run(...argv);
    expect(outcome.isError).toBe(true);
    expect(outcome.content).toContain('allowed');
  },
);

test('is not offered without a list', async () => {
  const other = await createToolWorkspace();
  expect((await other.use('run', { argv: ['ls'] })).content).toContain('no such tool');
});

test('uses no shell', async () => {
  expect((await run('node', '-p', '"$HOME; id"')).content).toBe('$HOME; id\n[exit code 0]');
});

test('gives the program a search path, a language and a home of its own, and nothing of ours', async () => {
  process.env['FLEET_TEST_SECRET'] = 'not for tools';
  try {
    const names = (await run('env')).content.match(/^\w+(?==)/gm)?.toSorted();
    // ignores what a shell adds by itself on some systems
    const own = names?.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name) && !name.startsWith('XDG_'));
    expect(own).toEqual(['FLEET_RUN_ID', 'HOME', 'LANG', 'PATH', 'TMPDIR']);
  } finally {
    delete process.env['FLEET_TEST_SECRET'];
  }
});

test('never runs a program of the workspace under an allowed name', async () => {
  await site.put('bin/nothing-like-this', '#!/bin/sh\necho planted\n');
  await chmod(join(site.root, 'bin/nothing-like-this'), 0o755);
  const path = process.env['PATH'];
  process.env['PATH'] = `${join(site.root, 'bin')}:${path}`;
  try {
    expect((await run('nothing-like-this')).content).toContain('not installed');
  } finally {
    process.env['PATH'] = path;
  }
});

test('keeps the end of long output, and a part of its beginning', async () => {
  const { content } = await run('node', '-e', "process.stdout.write('a€'.repeat(50000) + 'the end')");
  expect(Buffer.byteLength(content)).toBeLessThan(64 * 1024);
  const [head = '', tail = ''] = content.split(/\n\[cut: \d+ bytes of output left out here\]\n/);
  expect(head).toMatch(/^a€[a€]*$/);
  expect(tail).toMatch(/^[a€]*the end\n\[exit code 0\]$/);
  expect(tail.length / head.length).toBeGreaterThan(2);
});

test('shows both outputs in the order in which they were written', async () => {
  const script = 'for i in 1 2 3 4 5; do echo "out $i"; echo "err $i" >&2; done';
  const lines = [1, 2, 3, 4, 5].flatMap((i) => [`out ${i}`, `err ${i}`]);
  expect((await run('sh', '-c', script)).content).toBe(`${lines.join('\n')}\n[exit code 0]`);
});

test('shows output as text without a terminal', async () => {
  const written = String.raw`\033[31mred\033[0m\033]0;title\007 10%%\r100%%\r\nname\000name\b\a\n`;
  expect((await run('sh', '-c', `printf '${written}'`)).content).toBe('red 10%\n100%\nname\u2400name\n[exit code 0]');
});

test('names the signal that ended a program', async () => {
  expect((await run('sh', '-c', 'kill -SEGV $$')).content).toBe('[killed by SIGSEGV, no output]');
});

test('gives a program that reads its input none', async () => {
  expect((await run('sh', '-c', 'read -r line || echo "no input"')).content).toBe('no input\n[exit code 0]');
});

test.each<[unknown, string]>([
  ['sh -c "echo \'a b\'"', String.raw`["sh","-c","echo 'a b'"]`],
  [['ls -l'], '["ls","-l"]'],
  ['ls | wc', 'one program at a time'],
])('tells how a command line is written as a list: %s', async (argv, hint) => {
  const outcome = await site.use('run', { argv });
  expect(outcome.isError).toBe(true);
  expect(outcome.content).toContain(hint);
});

test('all programs of a task share a home, which goes with the task', async () => {
  const folder = makeFolder();
  const home = createTaskHome(folder, 'job-1');
  site.context.run = { timeoutMs: 10_000, env: { CI: '1' }, home };
  expect((await run('sh', '-c', 'echo cached > "$XDG_CACHE_HOME/x"; echo "$CI"; ls -d "$TMPDIR"')).content).toContain(
    '1\n',
  );
  expect((await run('sh', '-c', 'cat ~/.cache/x')).content).toContain('cached');
  await home.remove();
  expect(await readdir(folder)).toEqual([]);
  expect((await run('sh', '-c', 'ls -A ~')).content).not.toContain('cached');
  await home.remove();
});

/** Starts a grandchild that holds the pipes, writes its pid, and waits for ever. */
const lingering = (then: string): string[] => ['sh', '-c', `sleep 1000 & echo $! > pid; ${then}`];

async function expectGone(): Promise<void> {
  const pid = Number(await readFile(join(site.root, 'pid'), 'utf8'));
  await waitUntil(async () => !(await isAlive(pid)), { what: 'the end of the grandchild' });
}

test('leaves no process behind when the program ends', async () => {
  expect((await run(...lingering('exit 0'))).content).toContain('[exit code 0');
  await expectGone();
});

/** Ways in which a program leaves the group of the one that started it. */
const leaving: [string, string][] = [
  ['setsid', 'setsid sh -c "echo \\$\\$ > pid; exec sleep 1000" </dev/null >/dev/null 2>&1 &'],
  ['nohup in a session of its own', 'setsid nohup sh -c "echo \\$\\$ > pid; sleep 1000" >/dev/null 2>&1 &'],
  [
    'a daemon that forks twice',
    'setsid sh -c "(sh -c \'echo \\$\\$ > pid; exec sleep 1000\' &) ; exit" >/dev/null 2>&1',
  ],
  ['one that keeps the output open', 'setsid sh -c "echo \\$\\$ > pid; exec sleep 1000" &'],
];

test.each(leaving)('ends %s when the program ends, and says so', async (_how, start) => {
  const outcome = await run('sh', '-c', `${start}\nwhile ! [ -s pid ]; do sleep 0.01; done`);
  expect(outcome.content).toMatch(/\[exit code 0.*\]\n\[ended what it left running: \d process(es)?\]$/);
  await expectGone();
});

test('kills the whole group at the deadline and says so', async () => {
  const home = createTaskHome(makeFolder(), 'job');
  site.context.run = { timeoutMs: 300, env: {}, home };
  const outcome = await run(...lingering('wait'));
  expect(outcome).toMatchObject({ isError: true, content: expect.stringContaining('killed after 0.3 s') });
  await expectGone();
});

test('kills the whole group when the task is aborted, and throws the reason', async () => {
  const stop = new AbortController();
  site.context.signal = stop.signal;
  const running = run(...lingering('wait'));
  await waitUntil(async () => (await readFile(join(site.root, 'pid'), 'utf8').catch(() => '')).endsWith('\n'));
  const reason = new Error('cancelled');
  stop.abort(reason);
  await expect(running).rejects.toBe(reason);
  await expectGone();
});

test('reports what the program changed', async () => {
  await site.put('keep.txt', 'same\n');
  await site.put('edit.txt', 'one\ntwo\nthree\n');
  await site.put('gone.txt', 'a\nb\n');
  await site.put('blob.bin', Buffer.from([0, 1]));
  const script =
    'printf "one\\n2\\nthree\\n" > edit.txt; rm gone.txt; mkdir new; echo hi > new/file.txt; touch keep.txt; printf "\\0x" > blob.bin';
  const { changes } = await run('sh', '-c', script);
  expect(changes).toEqual([
    { path: 'blob.bin', added: 0, removed: 0, lines: '0-0' },
    { path: 'edit.txt', added: 1, removed: 1, lines: '2-2' },
    { path: 'gone.txt', added: 0, removed: 2, lines: 'deleted' },
    { path: 'new/file.txt', added: 1, removed: 0, lines: '1-1' },
  ]);
});

test('a file it changed must be read again before it is edited', async () => {
  await site.put('a.txt', 'one\n');
  await site.use('read', { file_path: 'a.txt' });
  await run('sh', '-c', 'echo two > a.txt');
  const outcome = await site.use('edit', { file_path: 'a.txt', old_string: 'two', new_string: 'three' });
  expect(outcome.content).toContain('changed since');
});

test('programs of parallel tasks in one workspace run one after the other', async () => {
  const script = "mkdir held || exit 9; node -e '' ; rmdir held";
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => run('sh', '-c', script)));
  expect(outcomes.map(({ content }) => content)).toEqual(Array.from({ length: 4 }, () => '[exit code 0, no output]'));
});

test('takes the lock of a process that is gone, and of one that stands still', async () => {
  const { lockFolder = '' } = site.context;
  await run('ls'); // makes the folder
  const path = join(lockFolder, `${createHash('sha256').update(site.root).digest('hex').slice(0, 32)}.lock`);
  for (const [pid, ageMs] of [
    [2 ** 22 + 1, 6_000], // no such process
    [process.pid, 16_000],
  ] as const) {
    await writeFile(path, JSON.stringify({ token: 'other', pid, host: hostname() }));
    const then = new Date(Date.now() - ageMs);
    await utimes(path, then, then);
    const outcomes = await Promise.all([run('ls'), run('ls')]);
    expect(outcomes.every(({ isError }) => !isError)).toBe(true);
  }
});
