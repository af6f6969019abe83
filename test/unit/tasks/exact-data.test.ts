import { expect, test } from 'vitest';
import { checkTask } from '../../../src/tasks/check.ts';
import { toExactData } from '../../../src/tasks/exact-data.ts';
import { parseExact, stringifyExact } from '../../../src/text/exact-json.ts';
import { toTaskMessage } from '../../../src/haiku/loop/prompt.ts';
import { tasksQueue } from '../../../queues/tasks.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const known = { workspaces: new Set<string>(), contexts: new Set<string>(), catalog: createCatalog([]) };
const DATA = '{"id":9007199254740993,"rows":[0.1000000000000000055,1e400,-0],"n":1}';
const toJob = async (line: string): Promise<unknown> =>
  JSON.parse(JSON.stringify(await checkTask(parseExact(line), known)));

test('a job holds the exact text of data beside the rounded value, which older workers read', async () => {
  const job = await toJob(`{"description":"x","data":${DATA}}`);
  expect(job).toEqual({
    description: 'x',
    data: { id: 9007199254740992, rows: [0.1, Number.MAX_VALUE, 0], n: 1 },
    data_text: DATA,
  });
  const task = tasksQueue.data.parse(job);
  expect(stringifyExact(toExactData(task))).toBe(DATA);
  expect(toTaskMessage(task)).toContain(`<data>\n${DATA}\n</data>`);
});

test('a job without such numbers is as before', async () => {
  const line = '{"description":"x","data":{"a":[1.50,"9007199254740993"]}}';
  expect(await toJob(line)).toEqual(JSON.parse(line));
  expect(toTaskMessage(tasksQueue.data.parse(await toJob(line)))).toContain(
    '<data>\n{"a":[1.5,"9007199254740993"]}\n</data>',
  );
});

test('numbers of other fields are JavaScript numbers', async () => {
  const schema = '{"type":"integer","maximum":9007199254740993}';
  expect(await toJob(`{"description":"x","budget_usd":0.10000000000000000555,"schema":${schema}}`)).toEqual({
    description: 'x',
    budget_usd: 0.1,
    schema: { type: 'integer', maximum: 9007199254740992 },
  });
});

test('a text that does not belong to data is ignored: a person edited data, or another program wrote it', () => {
  for (const text of ['{"id":9007199254740995}', '{"id":1}', 'no JSON', '']) {
    expect(toExactData({ data: { id: 9007199254740992 }, data_text: text })).toEqual({ id: 9007199254740992 });
  }
  expect(toExactData({ data_text: '1' })).toBeUndefined();
});

test('a caller cannot set the text', async () => {
  await expect(checkTask({ description: 'x', data_text: '1' }, known)).rejects.toThrow(/"data_text"/);
});
