import { expect, test } from 'vitest';
import { changePatchState } from '../../../src/patches/change-state.ts';
import { makePatch, makePersonRepository } from '../../support/patches/person-repository.ts';
import { readStatus } from '../../../src/status/read/snapshot.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

test('record, finding, list and status tell one state, and no other part of the finding changes', async () => {
  const db = await redis.connectDb();
  const person = makePersonRepository();
  const record = await makePatch(db, person, 'task-1', { work: (tree) => tree.write({ 'a.txt': 'x\n' }) });
  const { findingId } = record;
  const exact = `{"finding_id":"${findingId}","result":{"id":9007199254740993,"1":1.0},"patch":{"base":"b","state":"pending","files":1}}`;
  await redis.redis.set(db.keys.finding(findingId), exact);
  await redis.redis.zadd(db.keys.index, 1, findingId);
  await redis.redis.set(db.keys.contextActive, '1000');

  await changePatchState(db, { findingId, state: 'conflict', conflict: { paths: ['a.txt'], why: 'x', at: 'now' } });
  expect(await redis.redis.get(db.keys.finding(findingId))).toBe(exact.replace('"pending"', '"conflict"'));
  expect((await readStatus(db, {})).patches).toEqual({ pending: 0, conflict: 1 });
  await changePatchState(db, { findingId, state: 'discarded', conflict: null });
  expect(await redis.redis.get(db.keys.finding(findingId))).toBe(exact.replace('"pending"', '"discarded"'));
  expect((await readStatus(db, {})).patches).toEqual({ pending: 0, conflict: 0 });
  const grown = Math.ceil((exact.length + 2) / 4) - Math.ceil(exact.length / 4);
  expect(await redis.redis.get(db.keys.contextActive)).toBe(String(1_000 + grown));
  expect(await changePatchState(db, { findingId: 'finding_none', state: 'applied' })).toBeNull();
});

test('a condensed finding keeps its stub, and its original tells the state', async () => {
  const db = await redis.connectDb();
  const person = makePersonRepository();
  const { findingId } = await makePatch(db, person, 'task-1', { work: (tree) => tree.write({ 'a.txt': 'x\n' }) });
  const stub = JSON.stringify({
    finding_id: findingId,
    result: 'condensed',
    status: 'condensed',
    summary_id: 'finding_s',
  });
  await redis.redis.set(db.keys.finding(findingId), stub);
  await redis.redis.set(db.keys.condensed(findingId), '{"result":"x","patch":{"state":"pending"}}');
  await changePatchState(db, { findingId, state: 'applied' });
  expect(await redis.redis.get(db.keys.finding(findingId))).toBe(stub);
  expect(await redis.redis.get(db.keys.condensed(findingId))).toBe('{"result":"x","patch":{"state":"applied"}}');
});
