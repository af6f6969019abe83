import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueRegistry } from '../../../queues/registry.ts';
import { InvalidJobError, UsageError } from '../../../src/errors.ts';
import { checkInput } from '../../../src/jobs/check-input.ts';
import { checkTask } from '../../../src/tasks/check.ts';
import type { KnownNames } from '../../../src/tasks/known-names.ts';
import { parseJob } from '../../../src/jobs/contract.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const known: KnownNames = { workspaces: new Set(['site']), contexts: new Set(['history']), catalog: createCatalog([]) };
const check = (task: unknown): Promise<unknown> => checkTask(task, known);

describe('checkTask', () => {
  it('gives back a good task as it was', async () => {
    const task = { description: 'x', workspace: 'site', contexts: ['history'], files: ['src/a.ts'], data: { a: 1 } };
    expect(await check(task)).toEqual(task);
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^task: .*expected object/],
    ['a text', 'do it', /^task: .*expected object/],
    ['a list', [{ description: 'x' }], /^task: .*expected object/],
    ['an unknown key', { description: 'x', colour: 'red' }, /^task: .*"colour"/],
    ['a function', { description: 'x', data: () => 1 }, /^task: data: /],
    ['a date', { description: 'x', data: new Date(0) }, /^task: data: /],
    ['not a number', { description: 'x', data: Number.NaN }, /^task: data: /],
    ['a big integer', { description: 'x', data: 1n }, /^task: cannot be written as JSON \(.*BigInt/],
    ['a workspace nobody has', { description: 'x', workspace: 'shop' }, /"shop" is not known; known: site/],
    ['a context nobody loaded', { description: 'x', contexts: ['notes'] }, /none named notes; fleet context load/],
    ['a path out of the workspace', { description: 'x', files: ['../secret'] }, /"..\/secret" leaves the workspace/],
    ['an absolute path', { description: 'x', files: ['/etc/passwd'] }, /leaves the workspace/],
    ['a model without a price', { description: 'x', model: 'gpt-nothing' }, /gpt-nothing/],
  ])('refuses %s', async (_, task, rule) => {
    await expect(check(task)).rejects.toThrow(UsageError);
    await expect(check(task)).rejects.toThrow(rule);
  });

  it('refuses what refers to itself, and what is too deep, in words', async () => {
    const loop: { description: string; data: unknown } = { description: 'x', data: null };
    loop.data = loop;
    await expect(check(loop)).rejects.toThrow(/^task: cannot be written as JSON \(.*circular/);
    let deep: unknown = null;
    for (let level = 0; level < 200_000; level += 1) deep = [deep];
    await expect(check({ description: 'x', data: deep })).rejects.toThrow(UsageError);
    const nested = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as unknown;
    await expect(check({ description: 'x', data: nested })).rejects.toThrow(
      /^task: expected at most 256 levels of lists and objects; write deep material as a text$/,
    );
  });

  it('takes 256 kB and refuses a byte more, saying what to do', async () => {
    const room = 256 * 1024 - JSON.stringify({ description: 'x', data: '' }).length;
    const full = 'é'.repeat(Math.floor(room / 2)) + 'a'.repeat(room % 2); // bytes count, not characters
    expect(await check({ description: 'x', data: full })).toBeTypeOf('object');
    const over = check({ description: 'x', data: `${full}a` });
    await expect(over).rejects.toThrow(
      /^task: expected at most 256 kB as JSON, got 257 kB; put the material into a file/,
    );
  });

  it('leaves the workspace open where nobody can say which there are', async () => {
    const nobody: KnownNames = { ...known, workspaces: null };
    expect(await checkTask({ description: 'x', workspace: 'shop' }, nobody)).toMatchObject({ workspace: 'shop' });
  });

  it('answers anything at all with a task or a UsageError', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        async (input) => {
          try {
            await checkTask(input, known);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
          }
        },
      ),
    );
  });
});

describe('checkInput', () => {
  it('refuses a queue and a job name that are not in the registry', () => {
    // @ts-expect-error an unknown queue does not compile
    expect(() => checkInput('task', 'task', {})).toThrow(/^queue: expected tasks, archive, missions, got "task"/);
    // @ts-expect-error a job name of another queue does not compile
    expect(() => checkInput('tasks', 'query', {})).toThrow(/^job name: expected "task" in queue tasks, got "query"/);
    // @ts-expect-error nor does a name that every object has
    expect(() => checkInput('constructor', 'task', {})).toThrow(UsageError);
  });

  it('gives a query and a mission the type of their queue', () => {
    const question: string = checkInput('archive', 'query', { question: 'What is sold?' }).question;
    const goal: string = checkInput('missions', 'mission', { goal: 'Sell tea' }).goal;
    expect([question, goal]).toEqual(['What is sold?', 'Sell tea']);
    expect(() => checkInput('missions', 'mission', { question: 'x' })).toThrow(/^mission: /);
  });
});

describe('parseJob', () => {
  const parse = (name: string, data: unknown): unknown => parseJob(queueRegistry.tasks, { name, data });

  it.each<[string, unknown, RegExp]>([
    ['', { description: 'x' }, /^name: expected "task" in queue tasks, got ""/],
    ['tusk', { description: 'x' }, /got "tusk"/],
    ['task', null, /^data: /],
    ['task', {}, /^data: description: /],
    ['task', { description: 'x', max_turns: 'many' }, /^data: max_turns: /],
  ])('refuses a job named %j with %j', (name, data, rule) => {
    expect(() => parse(name, data)).toThrow(InvalidJobError);
    expect(() => parse(name, data)).toThrow(rule);
  });

  it('refuses data nested deeper than a stack', () => {
    const data: unknown = JSON.parse('['.repeat(9_000) + ']'.repeat(9_000));
    expect(() => parse('task', { description: 'x', data })).toThrow(/^data: expected at most 256 levels/);
  });

  it('tolerates keys it does not know', () => {
    expect(parse('task', { description: 'x', colour: 'red' })).toEqual({ description: 'x' });
  });

  it('names five rules and counts the rest', () => {
    const data = {
      description: 'x',
      kind: 1,
      files: 1,
      workspace: 1,
      contexts: 1,
      topics: 1,
      model: 1,
      max_turns: 'x',
    };
    expect(() => parse('task', data)).toThrow(/; and 2 more$/);
  });
});
