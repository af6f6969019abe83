import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { useFolder } from '../../support/folder.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The error that a strict compiler must report for one line that uses the built package; null: none. */
const cases: { what: string; line: string; says: RegExp | null }[] = [
  {
    what: 'a task',
    line: `await fleet.tasks.add({ description: 'x', data: { a: [1] } }, { taskId: 'a' });`,
    says: null,
  },
  {
    what: 'a typed result',
    line: `const lines: number = (await (await fleet.tasks.add(count, { file: 'a' })).result()).lines; void lines;`,
    says: null,
  },
  {
    what: 'a typed result found again',
    line: `const lines: number | undefined = (await (await fleet.tasks.get('a', count))?.result())?.lines; void lines;`,
    says: null,
  },
  { what: 'many', line: `await fleet.tasks.addMany(new Set([{ description: 'x' }]), { batch: 'b' });`, says: null },
  { what: 'many typed', line: `await fleet.tasks.addMany(count, [{ file: 'a' }], { limit: 1 });`, says: null },
  {
    what: 'an unknown key',
    line: `await fleet.tasks.add({ description: 'x', colour: 'red' });`,
    says: /'colour' does not/,
  },
  {
    what: 'a task without a description',
    line: `await fleet.tasks.add({ kind: 'docs' });`,
    says: /'description' is missing/,
  },
  { what: 'an unknown kind', line: `await fleet.tasks.add({ description: 'x', kind: 'cooking' });`, says: /"cooking"/ },
  { what: 'data that is no JSON', line: `await fleet.tasks.add({ description: 'x', data: () => 1 });`, says: /JSON/ },
  {
    what: 'an unknown option',
    line: `await fleet.tasks.add({ description: 'x' }, { id: 'a' });`,
    says: /No overload matches/,
  },
  {
    what: 'a wrong entry among many',
    line: `await fleet.tasks.addMany([{ describe: 'x' }]);`,
    says: /'describe' does not/,
  },
  {
    what: 'a text instead of tasks',
    line: `await fleet.tasks.addMany('tasks.jsonl');`,
    says: /'string' is not assignable/,
  },
  {
    what: 'a wrong typed input',
    line: `await fleet.tasks.add(count, { file: 1 });`,
    says: /'number' is not assignable/,
  },
  { what: 'a missing typed input', line: `await fleet.tasks.add(count);`, says: /error TS/ },
  {
    what: 'a wrong typed input among many',
    line: `await fleet.tasks.addMany(count, [{ path: 'a' }]);`,
    says: /'path' does not/,
  },
  {
    what: 'a typed result taken for another',
    line: `const text: string = (await (await fleet.tasks.add(count, { file: 'a' })).result()).lines; void text;`,
    says: /'number' is not assignable to type 'string'/,
  },
  {
    what: 'an untyped result used unseen',
    line: `(await (await fleet.tasks.add({ description: 'x' })).result()).lines;`,
    says: /is of type 'unknown'/,
  },
  { what: 'an unknown cost dimension', line: `await fleet.costs({ by: 'colour' });`, says: /"colour"/ },
  { what: 'the connections inside', line: `fleet.inner;`, says: /'inner' does not exist/ },
];

const head = `import { connectFleet, defineTask } from 'haiku-fleet';
import { z } from 'zod';
const count = defineTask({
  name: 'count',
  input: z.object({ file: z.string() }),
  output: z.object({ lines: z.int() }),
  prompt: ({ file }) => file,
});
const fleet = await connectFleet();
void count;
`;

const folder = useFolder();
const said = new Map<number, string[]>();

beforeAll(async () => {
  writeFileSync(join(folder.path, 'package.json'), '{"type":"module"}');
  for (const [i, { line }] of cases.entries()) writeFileSync(join(folder.path, `case-${i}.ts`), `${head}${line}\n`);
  mkdirSync(join(folder.path, 'node_modules'));
  symlinkSync(root, join(folder.path, 'node_modules/haiku-fleet'));
  symlinkSync(join(root, 'node_modules/zod'), join(folder.path, 'node_modules/zod'));
  const compilerOptions = { strict: true, module: 'nodenext', target: 'es2022', types: [], noEmit: true };
  writeFileSync(join(folder.path, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const ended = promisify(execFile)(process.execPath, [compiler, '-p', folder.path, '--pretty', 'false'], {
    cwd: folder.path,
  });
  const output = await ended.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  for (const line of output.split('\n').filter((text) => !/^\s|^$/.test(text))) {
    const index = /^case-(\d+)\.ts\(/.exec(line)?.[1];
    if (index === undefined) throw new Error(`the compiler says: ${output}`);
    said.set(Number(index), [...(said.get(Number(index)) ?? []), `${line}${detailsOf(output, line)}`]);
  }
});

/** The indented lines below an error. */
function detailsOf(output: string, line: string): string {
  const after = output.slice(output.indexOf(line) + line.length);
  return /^(\n\s+.*)*/.exec(after)?.[0] ?? '';
}

describe('the compiler takes', () => {
  it.each(cases.map((entry, index) => ({ ...entry, index })).filter(({ says }) => says === null))(
    '$what',
    ({ index }) => {
      expect(said.get(index)).toBeUndefined();
    },
  );
});

describe('the compiler refuses', () => {
  it.each(cases.map((entry, index) => ({ ...entry, index })).filter(({ says }) => says !== null))(
    '$what',
    ({ index, says }) => {
      expect(said.get(index)).toEqual([expect.stringMatching(says ?? /never/)]);
    },
  );
});
