import { expect, test } from 'vitest';
import { retryJob } from '../../../src/tasks/repair/retry.ts';
import { fromExportLine, toExportLine } from '../../../src/findings/transfer/export-line.ts';
import { parseExact, stringifyExact } from '../../../src/text/exact-json.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import type { TaskInput } from '../../../queues/tasks.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const redis = useRedis();
const NUMBERS = '{"id":9007199254740993,"far":1e400,"small":0.1000000000000000055,"zero":-0}';
const schema = { type: 'object', required: ['id'] };

/** As `fleet task --data` and the lines of a file of tasks give it. */
const data = (): NonNullable<TaskInput['data']> => parseExact(NUMBERS) as NonNullable<TaskInput['data']>;

test('numbers of data reach the model as they were written, and those of a result the finding', async () => {
  const model = createScriptedModel(() => NUMBERS);
  const fleet = await useFleet(redis, { haiku: model });
  const job = await fleet.tasks.add({ description: 'Copy the data.', data: data(), schema });
  const finding = await job.finding({ timeoutMs: 10_000 });

  expect(model.calls[0]?.messages).toMatchObject([{ content: expect.anything() }]);
  expect(JSON.stringify(model.calls[0]?.messages)).toContain(
    JSON.stringify(`<data>\n${NUMBERS}\n</data>`).slice(1, -1),
  );
  expect(await redis.redis.get(redis.keys.finding(job.findingId))).toContain(`"result":${NUMBERS},`);
  expect(stringifyExact(finding.result)).toBe(NUMBERS);
  expect(finding.summary).toContain('9007199254740993');
});

test('they survive a retry with other words, and give way to an edit of data', async () => {
  const model = createScriptedModel(() => 'no JSON');
  const fleet = await useFleet(redis, { haiku: model });
  await fleet.tasks.add({ description: 'Copy the data.', data: data(), schema }, { taskId: 'task-a' });
  await fleet.until('task-a', 'failed');
  const options = {
    by: 'ada@box',
    known: { workspaces: new Set<string>(), contexts: new Set<string>(), catalog: createCatalog([]) },
  };
  const parts = { db: fleet.inner.db, queue: fleet.inner.queues.tasks };

  model.calls.length = 0;
  await retryJob(parts, 'task-a', { ...options, edit: { append: 'All of it.' } });
  await fleet.until('task-a', 'failed');
  expect(JSON.stringify(model.calls[0]?.messages)).toContain('9007199254740993');

  const job = await fleet.bullJob('task-a');
  await job.updateData({ ...(job.data as object), data: { id: 5 } });
  model.calls.length = 0;
  await retryJob(parts, 'task-a', options);
  await fleet.until('task-a', 'failed');
  expect(JSON.stringify(model.calls[0]?.messages)).toContain(JSON.stringify('<data>\n{"id":5}\n</data>').slice(1, -1));
});

test('they survive retraction, export and import of a finding, and are found by their digits', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => NUMBERS) });
  const job = await fleet.tasks.add({ description: 'Count.', schema });
  await job.finding({ timeoutMs: 10_000 });
  const key = redis.keys.finding(job.findingId);
  const text = (await redis.redis.get(key)) ?? '';
  const stored = {
    id: job.findingId,
    place: 'live',
    value: { kind: 'string', text },
    condensedText: null,
    note: null,
    lacked: null,
  } as const;

  expect(toExportLine(stored)).toBe(text);
  expect(fromExportLine(toExportLine(stored))).toEqual(stored);
  expect(await fleet.findings.list({ text: '9007199254740993' })).toHaveLength(1);
  expect(await fleet.findings.list({ text: '9007199254740992' })).toHaveLength(0);
  await retractFinding(fleet.inner.db, { id: job.findingId, why: 'wrong', by: 'ada@box' });
  expect(await redis.redis.get(key)).toContain(`"result":${NUMBERS},`);
});
