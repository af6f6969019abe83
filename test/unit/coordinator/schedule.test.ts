import { expect, it } from 'vitest';
import { toSchedule } from '../../../src/coordinator/plan/forecast.ts';

const free = (count: number) => Array.from({ length: count }, (_, i) => ({ n: i + 1, dependsOn: [] as number[] }));

it.each([
  { what: 'independent tasks by the slots', nodes: free(41), slots: 20, rounds: 3, longestChain: 1 },
  {
    what: 'a chain one after the other',
    nodes: Array.from({ length: 5 }, (_, i) => ({ n: i + 1, dependsOn: i === 0 ? [] : [i] })),
    slots: 20,
    rounds: 5,
    longestChain: 5,
  },
  {
    what: 'a sum behind all others',
    nodes: [...free(40), { n: 41, dependsOn: [1, 40] }],
    slots: 20,
    rounds: 3,
    longestChain: 2,
  },
  { what: 'nothing', nodes: [], slots: 20, rounds: 0, longestChain: 0 },
])('counts $what', ({ nodes, slots, rounds, longestChain }) => {
  expect(toSchedule(nodes, slots)).toEqual({ rounds, longestChain });
});
