import { expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { loadBatch } from '../../support/fleet/batch.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

test('adds the good lines and names each bad one by its number and rule', async () => {
  const fleet = await useFleet(redis, { site: { 'a.md': 'a' } });
  await fleet.tasks.add({ description: 'has it', finding_id: 'finding_mine' });
  const { report, invalid } = await loadBatch(
    redis,
    fleet,
    [
      { description: 'good', workspace: 'site', files: ['docs/../a.md'] },
      '{"description": "cut off',
      { description: 'misspelt', workspase: 'site' },
      { description: 'x', workspace: 'nowhere' },
      { description: 'x', workspace: 'site', files: ['../outside.txt'] },
      { description: 'x', workspace: 'site', files: ['/etc/passwd'] },
      { description: 'x', model: 'gpt-9000' },
      { description: 'x'.repeat(150_000), data: 'y'.repeat(150_000) },
      { description: 'x', finding_id: 'finding_mine' },
      { description: 'x', schema: { type: 'nonsense' } },
      { description: 'x', contexts: ['history'] },
      '',
      '[1, 2]',
      { description: 'good too' },
    ],
    { batch: 'mixed' },
  );

  expect(report).toMatchObject({ read: 14, added: 2, existing: 0, invalid: 11 });
  expect(invalid.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]);
  const rules = invalid.map(({ message }) => message);
  expect(rules[0]).toMatch(/^expected JSON: /);
  expect(rules[1]).toMatch(/workspase/);
  expect(rules[2]).toMatch(/workspace: "nowhere" is not known; known: site/);
  expect(rules[3]).toMatch(/files: "\.\.\/outside\.txt" leaves the workspace/);
  expect(rules[4]).toMatch(/files: "\/etc\/passwd" leaves the workspace/);
  expect(rules[5]).toMatch(/model "gpt-9000": no price is known/);
  expect(rules[6]).toMatch(/expected at most 256 kB as JSON, got 29\d kB/);
  expect(rules[7]).toMatch(/finding_id: "finding_mine" is taken/);
  expect(rules[8]).toMatch(/schema/);
  expect(rules[9]).toMatch(/contexts: there is none named history/);
  expect(await fleet.queue.getJobState('mixed-1')).toBe('waiting');
  expect(await fleet.queue.getJobState('mixed-14')).toBe('waiting');
});

test('adds only missing lines when the same file is loaded again', async () => {
  const fleet = await useFleet(redis);
  const first = [{ description: 'one' }, '{bad', { description: 'three' }];
  await loadBatch(redis, fleet, first, { batch: 'again' });

  const mended = [first[0], { description: 'two, mended' }, first[2], { description: 'four, appended' }];
  const { report } = await loadBatch(redis, fleet, mended, { batch: 'again' });

  expect(report).toMatchObject({ added: 2, existing: 2, invalid: 0 });
  expect(await fleet.queue.getWaitingCount()).toBe(4);
});

test('adds no line again whose job was cleared away after its finding was written', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'done') });
  const lines = [{ description: 'one' }, { description: 'two', finding_id: 'finding_chosen' }];
  const first = await loadBatch(redis, fleet, lines, { batch: 'cleared' });
  await first.follow();
  const { tasks } = fleet.inner.queues;
  await waitUntil(async () => (await tasks.getCompletedCount()) === 2);
  await tasks.clean(0, 100, 'completed');

  const { report, results } = await loadBatch(redis, fleet, lines, { batch: 'cleared' });

  expect(report).toMatchObject({ added: 0, existing: 2, invalid: 0 });
  expect((await results()).map(({ state, finding_id: id }) => [state, id])).toEqual([
    ['completed', expect.stringMatching(/^finding_[0-9a-f]{16}$/)],
    ['completed', 'finding_chosen'],
  ]);
});

test('refuses another file under the name of a batch', async () => {
  const fleet = await useFleet(redis);
  await loadBatch(redis, fleet, [{ description: 'monday 1' }, { description: 'monday 2' }], { batch: 'tasks' });

  const tuesday = ['tuesday 1', 'tuesday 2', 'tuesday 3'].map((description) => ({ description }));
  const second = loadBatch(redis, fleet, tuesday, { batch: 'tasks' });

  await expect(second).rejects.toThrow(UsageError);
  await expect(second).rejects.toThrow(/line 1 is another task there \("monday 1"\); .*--batch NAME/);
  expect(await fleet.queue.getWaitingCount()).toBe(2);
});

test('adds as many as the limit says and goes on from there the next time', async () => {
  const fleet = await useFleet(redis);
  const lines = Array.from({ length: 5 }, (_, i) => ({ description: `task ${i}` }));

  const first = await loadBatch(redis, fleet, lines, { batch: 'slow', limit: 2 });
  const second = await loadBatch(redis, fleet, lines, { batch: 'slow', limit: 2 });
  const third = await loadBatch(redis, fleet, lines, { batch: 'slow', limit: 2 });

  expect([first, second, third].map(({ report }) => [report.added, report.existing])).toEqual([
    [2, 0],
    [2, 2],
    [1, 4],
  ]);
});

test('checks everything and adds nothing in a dry run', async () => {
  const fleet = await useFleet(redis);
  const { report, invalid } = await loadBatch(redis, fleet, [{ description: 'one' }, '{bad'], {
    batch: 'dry',
    dryRun: true,
  });

  expect(report).toMatchObject({ added: 1, invalid: 1 });
  expect(invalid).toHaveLength(1);
  expect(await fleet.queue.getWaitingCount()).toBe(0);
  expect(await redis.redis.exists(redis.keys.batch('dry'))).toBe(0);
});

test('keeps the place of lines over several chunks', async () => {
  const fleet = await useFleet(redis);
  const lines = Array.from({ length: 1_203 }, (_, i) => (i % 100 === 7 ? '{bad' : { description: `task ${i}` }));

  const { report, invalid, results } = await loadBatch(redis, fleet, lines, { batch: 'long' });

  expect(report).toMatchObject({ read: 1_203, added: 1_191, invalid: 12 });
  expect(invalid.map(({ line }) => line)).toEqual(Array.from({ length: 12 }, (_, i) => i * 100 + 8));
  const found = await results();
  expect(found.map(({ line }) => line)).toEqual(Array.from({ length: 1_203 }, (_, i) => i + 1));
  expect(found.every(({ line, task_id: id }) => id === null || id === `long-${line}`)).toBe(true);
});

test('gives the ids of unnamed tasks, in order', async () => {
  const fleet = await useFleet(redis);
  const report = await fleet.tasks.addMany([{ description: 'one' }, { description: 'two' }]);

  const jobs = await Promise.all(report.ids.map((id) => fleet.queue.getJob(id)));
  expect(jobs).toMatchObject([{ data: { description: 'one' } }, { data: { description: 'two' } }]);
});
