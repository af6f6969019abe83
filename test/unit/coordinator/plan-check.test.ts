import { describe, expect, it } from 'vitest';
import { checkPlan, countByClass, type PlanLimits } from '../../../src/coordinator/plan/check.ts';
import { toTestModels } from '../../support/models/plan-models.ts';

const LIMITS: PlanLimits = { maxTasks: 5_000, maxSonnet: 500, models: toTestModels() };

function planOf(...tasks: object[]) {
  return { approach: 'look, then tell', tasks };
}

function taskOf(id: string, changes: object = {}): object {
  return { id, description: `do ${id}`, kind: 'search', model: 'haiku', ...changes };
}

function problemOf(json: unknown, limits = LIMITS): string {
  const checked = checkPlan(json, limits);
  return checked.ok ? 'nothing' : checked.problem;
}

const ten = Array.from({ length: 10 }, (_, i) => taskOf(`t${i}`));
const sonnet = { model: 'sonnet', reason: 'ambiguous requirements' };

describe('the files of a plan', () => {
  it.each([
    [['.env'], 'task 1 ("a"), files: ".env" commonly holds secrets; leave it out'],
    [['{item}/id_rsa'], 'task 1 ("a"), files: "x/id_rsa" commonly holds secrets; leave it out'],
    [['../other/a.md'], 'task 1 ("a"), files: "../other/a.md" is outside the workspace'],
    [['a.md'], 'nothing'],
  ])('%j', (files, problem) => {
    const task = taskOf('a', { for_each: ['x'], description: 'read {item}', files });
    expect(problemOf(planOf(task))).toBe(problem);
  });
});

describe('a plan that will do', () => {
  it('is returned with its defaults', () => {
    const checked = checkPlan(planOf(taskOf('a', { for_each: ['x', 'y'], description: 'read {item}' })), LIMITS);
    expect(checked).toMatchObject({ ok: true, value: { tasks: [{ id: 'a', depends_on: [], model: 'haiku' }] } });
  });

  it('may have one Sonnet task with a reason, however small it is', () => {
    expect(problemOf(planOf(taskOf('a', sonnet)))).toBe('nothing');
  });

  it('counts its tasks by model, each entry of a for_each', () => {
    const checked = checkPlan(
      planOf(taskOf('a', { for_each: ['x', 'y'], description: '{item}' }), taskOf('b', sonnet)),
      LIMITS,
    );
    expect(checked.ok && countByClass(checked.value.tasks, LIMITS.models)).toEqual({ haiku: 2, sonnet: 1 });
  });
});

describe('the number of tasks', () => {
  it('is told where it is none', () => {
    expect(problemOf(planOf())).toBe('the plan has 0 tasks: expected 1 to 5,000, each entry of a for_each counted');
  });

  it('is told where it is 100,000, spread or not', () => {
    const items = Array.from({ length: 50_000 }, (_, i) => `f${i}`);
    const spread = planOf(taskOf('a', { for_each: items }), taskOf('b', { for_each: items }));
    const flat = planOf(...Array.from({ length: 100_000 }, (_, i) => taskOf(`t${i}`)));
    for (const plan of [spread, flat])
      expect(problemOf(plan)).toMatch(/^the plan has 100,000 tasks: expected 1 to 5,000/);
  });

  it('is held to the mission’s own limit', () => {
    expect(problemOf(planOf(...ten), { ...LIMITS, maxTasks: 9, maxSonnet: 1 })).toContain('10 tasks: expected 1 to 9');
  });
});

describe('the shape', () => {
  it('is no plan without tasks', () => {
    expect(problemOf({ approach: 'none' })).toContain('tasks');
    expect(problemOf(null)).toContain('the plan');
  });

  it('names the task whose kind is unknown', () => {
    expect(problemOf(planOf(taskOf('a'), taskOf('b', { kind: 'magic' })))).toMatch(/^task 2 \("b"\), kind: /);
  });

  it('tells a few problems and how many more there are', () => {
    const wrong = planOf(...ten.map((task) => ({ ...task, depends_on: ['nobody'] })));
    expect(problemOf(wrong).split('\n')).toHaveLength(6);
    expect(problemOf(wrong)).toContain('and 5 more problems');
  });
});

describe('ids and dependencies', () => {
  it.each([
    ['an id that two tasks have', [taskOf('a'), taskOf('a')], 'task 2 ("a"), id: another task has this id too'],
    [
      'a dependency nobody is',
      [taskOf('a', { depends_on: ['z'] })],
      'task 1 ("a"), depends_on: it depends on "z", which no task is',
    ],
    [
      'a task that waits for itself',
      [taskOf('a', { depends_on: ['a'] })],
      'task 1 ("a"), depends_on: it depends on itself',
    ],
    [
      'a dependency named twice',
      [taskOf('b'), taskOf('a', { depends_on: ['b', 'b'] })],
      'task 2 ("a"), depends_on: it names b twice',
    ],
    [
      'a circle, by its names',
      [
        taskOf('a', { depends_on: ['c'] }),
        taskOf('b', { depends_on: ['a'] }),
        taskOf('c', { depends_on: ['b'] }),
        taskOf('d'),
      ],
      'depends_on goes in a circle: a → c → b → a',
    ],
  ])('refuse %s', (_, tasks, problem) => {
    expect(problemOf(planOf(...tasks))).toContain(problem);
  });

  it('refuse so many waits that they would not fit', () => {
    const items = Array.from({ length: 1_000 }, (_, i) => `f${i}`);
    const each = { for_each: items, description: 'read {item}' };
    const problem = problemOf(planOf(taskOf('a', each), taskOf('b', { ...each, depends_on: ['a'] })));
    expect(problem).toContain('1,000,000 waits');
  });

  it('follow a chain of thousands', () => {
    const chain = Array.from({ length: 5_000 }, (_, i) =>
      taskOf(`t${i}`, i === 0 ? {} : { depends_on: [`t${i - 1}`] }),
    );
    expect(problemOf(planOf(...chain.toReversed()))).toBe('nothing');
  });
});

describe('for_each', () => {
  it('refuses an empty one, a doubled entry, and one whose tasks would all be the same', () => {
    expect(problemOf(planOf(taskOf('a', { for_each: [] }), taskOf('b')))).toContain(
      'task 1 ("a"), for_each: it is empty',
    );
    expect(problemOf(planOf(taskOf('a', { for_each: ['x', 'x'], description: '{item}' })))).toContain('"x" twice');
    expect(problemOf(planOf(taskOf('a', { for_each: ['x', 'y'] })))).toContain('would be the same task');
  });

  it('accepts {item} in the files alone', () => {
    expect(problemOf(planOf(taskOf('a', { for_each: ['x', 'y'], files: ['src/{item}'] })))).toBe('nothing');
  });

  it('refuses texts that no queue should hold once it is filled in', () => {
    const long = { for_each: ['x'.repeat(2_000)], description: '{item}'.repeat(3_000) };
    expect(problemOf(planOf(taskOf('a', long)))).toContain('6000000 characters once {item} is filled in');
    const items = Array.from({ length: 5_000 }, (_, i) => `f${i}`);
    const wide = { for_each: items, description: `{item} ${'x'.repeat(10_000)}` };
    expect(problemOf(planOf(taskOf('a', wide)))).toContain('say it shorter');
  });
});

describe('Sonnet tasks', () => {
  it('need one of the four reasons', () => {
    expect(problemOf(planOf(taskOf('a', { model: 'sonnet' })))).toContain(
      'task 1 ("a"), reason: model sonnet needs a reason',
    );
    expect(problemOf(planOf(taskOf('a', { model: 'sonnet', reason: 'it is hard' })))).toContain('reason');
  });

  it('are at most one in ten', () => {
    const two = [taskOf('s1', sonnet), taskOf('s2', sonnet)];
    expect(problemOf(planOf(...ten, ...two))).toBe(
      'the plan gives 2 of 12 tasks to sonnet: expected at most 1; give the others to haiku',
    );
    expect(
      problemOf(
        planOf(...ten, taskOf('more', { for_each: 'a b c d e f g h'.split(' '), description: '{item}' }), ...two),
      ),
    ).toBe('nothing');
  });

  it('are at most what the caller allows', () => {
    expect(problemOf(planOf(taskOf('a', sonnet)), { ...LIMITS, maxTasks: 10, maxSonnet: 0 })).toContain(
      'expected at most 0',
    );
  });
});
