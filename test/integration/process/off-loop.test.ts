import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createOffLoop, OffLoopLimitError, type OffLoop } from '../../../src/process/off-loop.ts';
import { useFolder } from '../../support/folder.ts';
import { isAlive, waitUntil } from '../../support/wait.ts';

const module = new URL('../../support/process/off-loop-work.ts', import.meta.url);
const folder = useFolder();
const limits = { deadlineMs: 60_000 };
const catastrophe = `${'a'.repeat(60)}!`;
let opened: OffLoop[] = [];

afterEach(async () => {
  await Promise.all(opened.map((offLoop) => offLoop.close()));
  opened = [];
});

function open(options: { processes?: number; memoryMb?: number } = {}): OffLoop {
  const offLoop = createOffLoop({ module, memoryMb: 64, ...options });
  opened.push(offLoop);
  return offLoop;
}

it('returns what the function returns, and passes on the name and message of what it throws', async () => {
  const offLoop = open();
  expect(await offLoop.run('add', { a: 1, b: 2 }, limits)).toBe(3);
  const thrown: unknown = await offLoop.run('fail', 'too wide', limits).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ name: 'RangeError', message: 'too wide' });
  expect(await offLoop.run('add', { a: 3, b: 4 }, limits)).toBe(7);
});

it('ends a function at its deadline, and runs those that wait', async () => {
  const offLoop = open({ processes: 1 });
  const slow = offLoop.run('matchSlowly', catastrophe, { deadlineMs: 50 });
  const waiting = Array.from({ length: 3 }, (_, i) => offLoop.run('add', { a: i, b: 1 }, limits));
  await expect(slow).rejects.toThrow(new OffLoopLimitError('deadline', 'expected to take at most 50 ms'));
  expect(await Promise.all(waiting)).toEqual([1, 2, 3]);
});

it('ends a function that fills its memory', async () => {
  const offLoop = open({ memoryMb: 32 });
  await expect(offLoop.run('fillMemory', null, limits)).rejects.toMatchObject({ reason: 'memory' });
  expect(await offLoop.run('add', { a: 1, b: 1 }, limits)).toBe(2);
});

it('ends with the reason of its signal, also while it waits', async () => {
  const offLoop = open({ processes: 1 });
  const [first, second] = [new AbortController(), new AbortController()];
  const runs = [first, second].map(({ signal }) => offLoop.run('matchSlowly', catastrophe, { ...limits, signal }));
  second.abort(new Error('second'));
  await expect(runs[1]).rejects.toThrow('second');
  first.abort(new Error('first'));
  await expect(runs[0]).rejects.toThrow('first');
  expect(await offLoop.run('add', { a: 1, b: 1 }, limits)).toBe(2);
  await expect(offLoop.run('add', { a: 1, b: 1 }, { ...limits, signal: first.signal })).rejects.toThrow('first');
});

it.each([
  ['an input that cannot be copied', 'add', () => undefined, 'could not be cloned'],
  ['a value that cannot be copied', 'toFunction', null, 'could not be cloned'],
  ['a function that is not there', 'nothing', null, 'got nothing'],
  ['a process that ends', 'endProcess', null, 'ended with 3'],
])('rejects %s, and goes on', async (_, name, input, message) => {
  const offLoop = open({ processes: 1 });
  await expect(offLoop.run(name, input, limits)).rejects.toThrow(message);
  expect(await offLoop.run('add', { a: 1, b: 1 }, limits)).toBe(2);
});

it('rejects when its module cannot be loaded', async () => {
  const offLoop = createOffLoop({ module: new URL('nowhere.ts', import.meta.url), memoryMb: 64 });
  opened.push(offLoop);
  await expect(offLoop.run('add', {}, limits)).rejects.toThrow('nowhere');
});

it('shows the processes no environment', async () => {
  expect(await open().run('readEnvironment', null, limits)).toEqual([]);
});

it('rejects all runs when it is closed', async () => {
  const offLoop = open({ processes: 1 });
  const runs = [1, 2].map(() => offLoop.run('matchSlowly', catastrophe, limits));
  const ends = Promise.allSettled(runs);
  await offLoop.close();
  expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(offLoop.run('add', {}, limits)).rejects.toThrow('closed');
});

/** Starts a process that calls a function off its loop and prints the value. */
function startScript(name: string, input: unknown): ChildProcess {
  const source = new URL('../../../src/process/off-loop.ts', import.meta.url);
  const script = `
    import { createOffLoop } from '${source.href}';
    const offLoop = createOffLoop({ module: new URL('${module.href}'), memoryMb: 64 });
    console.log(await offLoop.run('${name}', ${JSON.stringify(input)}, { deadlineMs: 60_000 }));`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script]);
}

it('keeps its process alive while it runs, and lets it end by itself afterwards', async () => {
  const child = startScript('add', { a: 20, b: 22 });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (printed += String(chunk)));
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(printed).toBe('42\n');
});

it('ends a function that never returns when its parent is killed', async () => {
  const file = join(folder.path, 'pid');
  const parent = startScript('hang', file);
  const pid = await waitUntil(() => existsSync(file) && Number(readFileSync(file, 'utf8')));
  parent.kill('SIGKILL');
  await waitUntil(async () => !(await isAlive(pid || 0)));
});
