import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { planSchema } from '../../../src/coordinator/plan/plan.ts';
import { expandPlan } from '../../../src/coordinator/plan/expand.ts';

function planOf(...tasks: object[]) {
  return planSchema.parse({
    approach: '',
    tasks: tasks.map((task) => ({ description: 'do it', kind: 'other', ...task })),
  });
}

it('fills {item} into every place, a dollar sign or not', () => {
  const plan = planOf({
    id: 'a',
    description: 'read {item}, all of {item}',
    files: ['x/{item}'],
    for_each: ['$&', 'b'],
  });
  expect(expandPlan(plan)).toMatchObject([
    { n: 1, task: 'a', description: 'read $&, all of $&', files: ['x/$&'], dependsOn: [] },
    { n: 2, task: 'a', description: 'read b, all of b', files: ['x/b'] },
  ]);
});

it('waits for every task of those it names', () => {
  const plan = planOf({ id: 'sum', depends_on: ['each', 'one'] }, { id: 'each', for_each: ['x', 'y'] }, { id: 'one' });
  const nodes = expandPlan(plan);
  expect(nodes.map(({ task }) => task)).toEqual(['each', 'each', 'one', 'sum']);
  expect(nodes.at(-1)).toMatchObject({ n: 4, dependsOn: [1, 2, 3] });
});

it('keeps the reason of a Sonnet task, and none of a Haiku task', () => {
  const reason = 'ambiguous requirements';
  const nodes = expandPlan(planOf({ id: 'a', model: 'sonnet', reason }, { id: 'b', model: 'haiku', reason }));
  expect(nodes.map((node) => [node.model, node.reason])).toEqual([
    ['sonnet', reason],
    ['haiku', null],
  ]);
});

it('numbers every task after all it depends on, whatever the plan', () => {
  const plans = fc.array(fc.tuple(fc.array(fc.nat(30), { maxLength: 4 }), fc.integer({ min: 1, max: 3 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(plans, fc.boolean(), (shapes, reversed) => {
      const tasks = shapes.map(([deps, count], i) => ({
        id: `t${i}`,
        depends_on: [...new Set(deps.filter((dep) => dep < i).map((dep) => `t${dep}`))],
        for_each: Array.from({ length: count }, (_, item) => `i${item}`),
      }));
      const nodes = expandPlan(planOf(...(reversed ? tasks.toReversed() : tasks)));
      expect(nodes.map(({ n }) => n)).toEqual(nodes.map((_, i) => i + 1));
      for (const node of nodes) for (const other of node.dependsOn) expect(other).toBeLessThan(node.n);
    }),
  );
});
