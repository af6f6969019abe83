import { expect, it } from 'vitest';
import { findClientNameProblem, toOwner } from '../../../queues/owner.ts';

it.each([
  ['', /expected a name/],
  ['two words', /no white space, got "two words"/],
  ['every*', /"\*" in "every\*" is none of these/],
  ['zoë', /"ë" in "zoë" is none of these/],
  ['👩', /"👩" in "👩" is none of these/],
  ['x'.repeat(1_000), /at most 40 characters, got 1000/],
  ['-rf', /a letter or digit first, got "-rf"/],
])('a client cannot be named %j', (name, rule) => {
  expect(findClientNameProblem(name)).toMatch(rule);
});

it('letters, digits, dots, dashes and underscores are a name', () => {
  for (const name of ['a', 'Alice', 'ci_2', 'build.nightly-7', 'x'.repeat(40)]) {
    expect(findClientNameProblem(name)).toBeNull();
  }
});

it('what is not set, or is no name, owns nothing', () => {
  expect(toOwner({ client: 'a', shard: 'b' })).toEqual({ client: 'a', shard: 'b' });
  expect(toOwner({ client: '', shard: null })).toEqual({});
  expect(toOwner({ client: 7, shard: ['b'] })).toEqual({});
});
