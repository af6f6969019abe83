import { expect, test } from 'vitest';
import { adoptAllExternal } from '../../../src/findings/external/adopt.ts';
import { eachStored } from '../../../src/findings/iterate.ts';
import { retractFinding } from '../../../src/findings/retract.ts';
import { createFindingStore } from '../../../src/findings/store.ts';
import { fromExportLine, toExportLine } from '../../../src/findings/transfer/export-line.ts';
import { createArchiveContext } from '../../../src/librarian/archive/context.ts';
import { storeExternal } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const nest = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const deep = `{"summary":"a deep one","result":${nest(5_000)}}`;

async function exportLines(): Promise<string[]> {
  const lines: string[] = [];
  for await (const found of eachStored(redis.db, {})) lines.push(toExportLine(found));
  return lines;
}

test('findings nested deeper than a stack hide no other, from a question, a search or an export', async () => {
  await storeExternal(redis, {
    plain: { result: 'tea is sold' },
    deep,
    deeper: `{"result":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}`,
  });
  await adoptAllExternal(redis.db);
  const store = createFindingStore(redis.db);

  const context = createArchiveContext(redis.db);
  await context.refresh();
  const { text, ids } = await context.show({ question: 'What is sold?', maxBytes: 10_000_000 });
  expect([...ids].sort()).toEqual(['deep', 'deeper', 'plain']);
  expect(text).toContain('tea is sold');
  expect(JSON.stringify(await store.get('deep'))).toContain('nested too deeply to show');
  expect((await store.list({ text: 'tea' })).map((one) => one.finding_id)).toEqual(['plain']);
  expect((await store.list()).map((one) => one.finding_id).sort()).toEqual(['deep', 'deeper', 'plain']);
});

test('an export of a deep finding loses nothing, and a retraction leaves its text as it is', async () => {
  await storeExternal(redis, { deep });
  await adoptAllExternal(redis.db);
  const [line = ''] = await exportLines();
  expect(fromExportLine(line)).toMatchObject({ id: 'deep', value: { text: deep } });
  expect(() => fromExportLine(`{"finding_id":"x","result":${nest(300)}}`)).toThrow('expected at most 256 levels');

  await retractFinding(redis.db, { id: 'deep', why: 'too deep', by: 'a test' });
  expect(await redis.redis.get(redis.keys.finding('deep'))).toBe(deep);
});

test('numbers beyond 2^53 stay exact when a finding is marked, and when it is exported', async () => {
  await storeExternal(redis, { exact: '{"result":{"id":9007199254740993},"status":"completed"}' });
  await adoptAllExternal(redis.db);
  expect((await exportLines())[0]).toContain('"id":9007199254740993');
  await retractFinding(redis.db, { id: 'exact', why: 'wrong', by: 'a test' });
  expect(await redis.redis.get(redis.keys.finding('exact'))).toMatch(/"id":9007199254740993.*"status":"retracted"/);
});
