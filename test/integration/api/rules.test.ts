import { expect, it } from 'vitest';
import { NotFoundError, UsageError } from '../../../src/errors.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const RULE = { match: { topic: 'tea' }, task: 'Check {finding.id}' };

it('adds a rule, tries it, lets it fire for the past, and shows what it did', async () => {
  const fleet = await useFleet(redis);
  await storeFindings(redis, { f1: { topics: ['tea'], summary: 'green' }, f2: { topics: ['milk'] } });
  const tried = await fleet.rules.dryRun({ ...RULE, maxDepth: 2 }, { since: '7d' });
  expect(tried).toMatchObject({ lookedAt: 2, trials: [{ finding: 'f1', outcome: 'fires' }] });
  expect(await fleet.rules.list()).toEqual([]);

  const added = await fleet.when('watch', { ...RULE, budgetUsd: 1 });
  expect(added).toMatchObject({ name: 'watch', state: 'active', budgetNanoUsd: 1_000_000_000 });
  expect(await fleet.when('watch', { ...RULE, budgetUsd: 1 })).toEqual(added);
  await expect(fleet.when('watch', RULE)).rejects.toThrow(UsageError);
  await fleet.budget.set(3, { rule: 'watch' });
  expect(await fleet.when('watch', { ...RULE, budgetUsd: 1 })).toMatchObject({ budgetNanoUsd: 3_000_000_000 });
  const replaced = await fleet.when('watch', { ...RULE, budgetUsd: 1 }, { replace: true });
  expect(replaced).toMatchObject({ budgetNanoUsd: 1_000_000_000 });
  expect(await fleet.when('watch', { ...RULE, maxPerDay: 5 }, { replace: true })).toMatchObject({ maxPerDay: 5 });

  const { trials } = await fleet.rules.replay('watch');
  expect(trials).toMatchObject([{ finding: 'f1', outcome: 'fires', description: 'Check f1' }]);
  const task = await fleet.tasks.get(trials[0]?.taskId ?? '');
  expect(task?.state).toBe('waiting');
  expect(await fleet.rules.show('watch')).toMatchObject({ fired: 1, firedToday: 1, lastFinding: 'f1' });
  expect((await fleet.status()).rules).toMatchObject({
    total: 1,
    parked: 0,
    lines: [{ name: 'watch', match: 'topic tea', state: 'active', fired: 1 }],
  });

  expect(await fleet.rules.pause('watch')).toMatchObject({ state: 'paused' });
  expect(await fleet.rules.resume('watch')).toMatchObject({ state: 'active' });
  expect(await fleet.rules.remove('watch')).toEqual({ dropped: 0 });
  await expect(fleet.rules.show('watch')).rejects.toThrow(NotFoundError);
});

it('parks a chain that is too deep until it is released or dropped', async () => {
  const fleet = await useFleet(redis);
  const origin = { chain: [{ rule: 'first', finding: 'f0' }] };
  await storeFindings(redis, { f1: { topics: ['tea'], origin }, f2: { topics: ['tea'], origin } });
  await fleet.when('watch', RULE);
  await fleet.rules.replay('watch');
  const parked = await fleet.rules.parked('watch');
  expect(parked).toMatchObject([
    { why: 'depth', chain: [...origin.chain, { rule: 'watch' }] },
    { why: 'depth', chain: [...origin.chain, { rule: 'watch' }] },
  ]);
  expect(await fleet.rules.drop({ taskIds: [parked[0]?.taskId ?? ''] })).toBe(1);
  expect(await fleet.rules.release({ rule: 'watch' })).toBe(1);
  expect(await fleet.rules.parked()).toEqual([]);
  expect((await fleet.tasks.get(parked[1]?.taskId ?? ''))?.state).toBe('waiting');
});

it.each<[string, (fleet: Awaited<ReturnType<typeof useFleet>>) => Promise<unknown>, RegExp]>([
  ['no match', ({ when }) => when('r', { task: 'x' } as never), /match: expected options as an object/],
  ['a misspelt filter', ({ when }) => when('r', { match: { tpoic: 'a' }, task: 'x' } as never), /did you mean topic/],
  ['a misspelt limit', ({ when }) => when('r', { ...RULE, maxPerHour: 1 } as never), /"maxPerHour" is no option/],
  ['a misspelt option', ({ when }) => when('r', RULE, { replaced: true } as never), /did you mean replace/],
  ['no name', ({ rules }) => rules.show(undefined as never), /rules.show: name: expected a text/],
  ['no selection', ({ rules }) => rules.release(undefined as never), /rules.release: expected options/],
  ['an id as a text', ({ rules }) => rules.drop({ taskIds: 'a' as never }), /expected ids as an array/],
  ['a limit as a text', ({ rules }) => rules.replay('r', { limit: '5' as never }), /limit: expected a number/],
])('refuses %s, and names it', async (_what, call, words) => {
  const fleet = await useFleet(redis);
  await expect(call(fleet)).rejects.toThrow(words);
});
