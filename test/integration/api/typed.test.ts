import { expect, it } from 'vitest';
import { z } from 'zod';
import { ResultMismatchError, UsageError } from '../../../src/errors.ts';
import { defineTask } from '../../../src/api/given/define-task.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';

const redis = useRedis();

const measure = defineTask({
  name: 'measure',
  input: z.object({ file: z.string().min(1) }),
  output: z.object({
    file: z.string(),
    lines: z.int(),
    range: z.tuple([z.int(), z.int()]),
    note: z.string().default('none'),
  }),
  prompt: ({ file }) => `How long is ${file}?`,
  task: ({ file }) => ({ kind: 'file', files: [file], topics: ['length'] }),
});

it('gives a typed result, its defaults filled in, and says what was asked', async () => {
  const model = createScriptedModel(() => '{"file":"a.ts","lines":3,"range":[1,3]}');
  const fleet = await useFleet(redis, { haiku: model });

  const job = await fleet.tasks.add(measure, { file: 'a.ts' });
  const result = await job.result({ timeoutMs: 10_000 });
  const lines: number = result.lines;
  expect(lines).toBe(3);
  expect(result).toEqual({ file: 'a.ts', lines: 3, range: [1, 3], note: 'none' });
  await expect(job.finding()).resolves.toMatchObject({
    task: 'How long is a.ts?',
    kind: 'file',
    topics: ['measure', 'length'],
  });
  const again = await fleet.tasks.get(job.id, measure);
  await expect(again?.result()).resolves.toEqual(result);
});

it('has a result repaired once by the model that gave it', async () => {
  const model = createScriptedModel((_, call) =>
    call === 1
      ? '{"file":"a.ts","lines":3,"range":[1,"3"]}' // wrong inside the tuple only
      : '{"file":"a.ts","lines":3,"range":[1,3],"note":"counted twice"}',
  );
  const fleet = await useFleet(redis, { haiku: model });
  const job = await fleet.tasks.add(measure, { file: 'a.ts' });
  await expect(job.result({ timeoutMs: 10_000 })).resolves.toMatchObject({ note: 'counted twice' });
  expect(JSON.stringify(model.calls[1]?.messages.at(-1))).toContain('/range/1 must be integer');
});

it('is repaired over HTTP too, by the simulated provider', async () => {
  const fleet = await useFleet(redis, { site: { 'a.ts': 'export const a = 1;\n' }, haiku: 'http' });
  const typed = defineTask({
    name: 'count-lines',
    input: z.object({ file: z.string() }),
    output: z.object({ file: z.string(), lines: z.int() }),
    prompt: ({ file }) => `Count the lines of ${file} [[bad-schema-once]]`,
    task: ({ file }) => ({ workspace: 'site', files: [file] }),
  });
  const job = await fleet.tasks.add(typed, { file: 'a.ts' });
  const result = await job.result({ timeoutMs: 20_000 });
  expect(result.lines).toBeTypeOf('number');
  const { logs } = await fleet.queue.getJobLogs(job.id);
  expect(logs.filter((line) => line.includes(': repair ('))).toHaveLength(1);
});

it('says which rule a result breaks that no JSON Schema can say', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => '{"from":9,"to":3}') });
  const range = defineTask({
    name: 'range',
    input: z.string(),
    output: z.object({ from: z.int(), to: z.int() }).refine(({ from, to }) => from <= to, 'from is after to'),
    prompt: (text) => text,
  });
  const job = await fleet.tasks.add(range, 'Where is it?');
  const result = job.result({ timeoutMs: 10_000 });
  await expect(result).rejects.toThrow(ResultMismatchError);
  await expect(result).rejects.toThrow(
    `task range: the result of ${job.findingId} does not fit its output: from is after to`,
  );
});

it('refuses an input that breaks its rule, and reports it by its line among many', async () => {
  const fleet = await useFleet(redis);
  await expect(fleet.tasks.add(measure, { file: '' })).rejects.toThrow(/^task measure: file: /);
  await expect(fleet.tasks.add(measure, { file: '' })).rejects.toThrow(UsageError);

  const report = await fleet.tasks.addMany(measure, [{ file: 'a.ts' }, { file: '' }, { file: 'b.ts' }], {
    batch: 'lengths',
  });
  expect(report).toMatchObject({ read: 3, added: 2, invalid: 1, ids: ['lengths-1', 'lengths-3'] });
  expect(report.problems).toEqual([{ line: 2, message: expect.stringMatching(/^task measure: file: /) }]);
  expect(await fleet.queue.getJob('lengths-3')).toMatchObject({
    data: { description: 'How long is b.ts?', topics: ['measure', 'length'] },
  });
});

it('refuses an output that JSON cannot carry before anything is added', async () => {
  const fleet = await useFleet(redis);
  const dated = defineTask({
    name: 'dated',
    input: z.string(),
    output: z.object({ at: z.date() }),
    prompt: (text) => text,
  });
  await expect(fleet.tasks.add(dated, 'When?')).rejects.toThrow(/task dated: its output cannot be said in JSON Schema/);
  await expect(fleet.tasks.addMany(dated, ['When?'])).rejects.toThrow(UsageError);
  expect(await fleet.queue.getJobCountByTypes()).toBe(0);
});
