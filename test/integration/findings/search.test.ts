import { expect, it } from 'vitest';
import { searchFindings } from '../../../src/findings/search.ts';
import { createFindingStore } from '../../../src/findings/store.ts';
import { storeExternal, storeFindings } from '../../support/redis/store-findings.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

let minute = 0;
const at = (): string => new Date(Date.UTC(2025, 10, 21, 0, (minute += 1))).toISOString();
/** Stores results as findings `f1`, `f2` …, the last one the newest. */
const storeResults = async (...results: unknown[]): Promise<void> => {
  for (const [i, result] of results.entries()) {
    await storeFindings(redis, { [`f${i + 1}`]: { result: result as string, task: 'Look', at: at() } });
  }
};
const find = async (query: string, limit = 20): Promise<string[]> => {
  const { found } = await createFindingStore(redis.db).find(query, { limit });
  return found.map(({ id }) => id);
};

it('finds findings that have the words anywhere, those with the most words first, then the newest', async () => {
  await storeResults(
    'The limit of Gemini is a rate of 15 calls.', // both, apart and in another order
    'The rate limit is 15.',
    'No quota at all.',
    { rate: 'high', note: 'LIMITS of gemini' },
    'rate',
  );
  expect(await find('gemini rate limit')).toEqual(['f4', 'f1', 'f2', 'f5']);
  expect(await find('"rate limit"')).toEqual(['f2']);
  expect(await find('"rate limit" gemini')).toEqual(['f4', 'f2', 'f1']);
  expect(await find('gemini rate limit', 2)).toEqual(['f4', 'f1']);
  expect(await find('tea')).toEqual([]);
  expect(await find('cost status usage finding_id')).toEqual([]); // words of the stored JSON, which no finding says
});

it('does not tell apart composed and decomposed letters, and tells accents apart', async () => {
  await storeResults('Un cafe\u0301 noir', 'Un cafe noir', 'CAFÉ');
  expect(await find('café')).toEqual(['f3', 'f1']);
  expect(await find('cafe\u0301')).toEqual(['f3', 'f1']);
  expect(await find('cafe')).toEqual(['f2']);
});

it('looks into task, files, topics and cited ids, and finds a finding by its id', async () => {
  await storeFindings(redis, {
    f1: { task: 'Mend the parser', result: 'ok', files_changed: ['src/Lexer.ts'], topics: ['syntax'], at: at() },
    f2: { task: 'Ask', result: 'ok', citations: ['f1'], at: at() },
  });
  for (const query of ['parser', 'lexer.ts', 'SYNTAX']) expect(await find(query)).toEqual(['f1']);
  expect(await find('f1')).toEqual(['f2', 'f1']);
});

it('marks partial findings and those with tool errors', async () => {
  const errors = { failed: 2, last: [{ tool: 'git', error: 'nothing to commit' }] };
  await storeFindings(redis, { f1: { result: 'tea', status: 'partial', tool_errors: errors, at: at() } });
  const { found, termCount } = await createFindingStore(redis.db).find('green tea');
  expect(found).toMatchObject([{ id: 'f1', isPartial: true, toolErrors: 2, matches: 1 }]);
  expect(termCount).toBe(2);
});

it('is over early when enough of the newest have all words', async () => {
  await storeResults(...Array.from({ length: 1_200 }, (_, i) => `tea ${i}`));
  expect(await createFindingStore(redis.db).find('tea', { limit: 3 })).toMatchObject({ olderCount: 0 });
  expect(await find('tea', 3)).toEqual(['f1200', 'f1199', 'f1198']);
  expect(await find('tea 7', 1_000)).toHaveLength(1_000);
});

it('says how many it did not search when its time is over, and searches the newest first', async () => {
  await storeResults('tea first', ...Array.from({ length: 1_100 }, (_, i) => `leaf ${i}`));
  const { index } = redis.keys;
  const short = await searchFindings(redis.db, index, 'tea leaf', { limit: 20, deadlineMs: 0 });
  expect(short.olderCount).toBe(601);
  expect(short.found[0]?.id).toBe('f1101');
  expect(await searchFindings(redis.db, index, 'tea', { limit: 20, deadlineMs: 60_000 })).toMatchObject({
    found: [{ id: 'f1' }],
    olderCount: 0,
  });
});

it('ends when it is told to', async () => {
  await storeResults('tea');
  const signal = AbortSignal.abort(new Error('cancelled'));
  const search = searchFindings(redis.db, redis.keys.index, 'tea', { limit: 20, deadlineMs: 60_000, signal });
  await expect(search).rejects.toThrow('cancelled');
});

it('searches what other programs stored, however odd, and says what is too large', async () => {
  await redis.redis.hset(redis.keys.finding('old'), { task_id: 't', content: 'green tea' });
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);
  await storeExternal(redis, {
    deep: `{"task":"deep tea","result":${deep}}`,
    broken: 'tea',
    list: '["tea"]',
    null: '{"result":null,"task":"tea"}',
    large: JSON.stringify({ result: `tea ${'x'.repeat(9 * 2 ** 20)}` }),
    wide: JSON.stringify({ result: `tea ${'y'.repeat(3 * 2 ** 20)}` }),
  });
  const ids = ['old', 'deep', 'broken', 'list', 'null', 'large', 'wide', 'gone'];
  for (const [i, id] of ids.entries()) await redis.redis.zadd(redis.keys.index, i, id);
  const { found, tooLargeCount } = await createFindingStore(redis.db).find('tea');
  expect(found.map(({ id }) => id)).toEqual(['wide', 'null', 'deep', 'old']);
  expect(tooLargeCount).toBe(1);
});

it('searches one session or batch', async () => {
  await storeFindings(redis, {
    f1: { result: 'tea', session: 'one', at: at() },
    f2: { result: 'tea', session: 'two', at: at() },
  });
  const { found } = await createFindingStore(redis.db).find('tea', { session: 'one' });
  expect(found.map(({ id }) => id)).toEqual(['f1']);
});
