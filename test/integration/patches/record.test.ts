import { expect, test } from 'vitest';
import { readPatch, readPatchText, storePatch } from '../../../src/patches/record.ts';
import type { PatchRecord } from '../../../src/patches/types.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();

const record: PatchRecord = {
  findingId: 'finding_1',
  taskId: 'task-1',
  workspace: 'site',
  host: 'box',
  base: 'a'.repeat(40),
  head: 'b'.repeat(40),
  branch: 'fleet/task-1',
  message: 'Mend the link\n\nFleet-Task: task-1\n',
  author: 'haiku-fleet <worker@haiku-fleet.invalid>',
  changes: [{ path: 'a.txt', added: 1, removed: 0, lines: '1-1' }],
  added: 1,
  removed: 0,
  state: 'pending',
  leftOut: [],
  buildsOn: [],
  batch: null,
  missionId: null,
  createdAt: '2026-01-02T03:04:05.678Z',
  applied: null,
  undone: null,
  conflict: null,
};

test('a patch is read as it was stored, to the byte, and pending ones are listed', async () => {
  const db = await redis.connectDb();
  const text = Buffer.from([0, 255, 10, 13, 10]);
  for (let time = 0; time < 2; time += 1) await storePatch(db, record, text);
  expect(await readPatch(db, 'finding_1')).toEqual(record);
  expect(await readPatchText(db, 'finding_1')).toEqual(text);
  expect(await redis.redis.zrange(redis.keys.patches, 0, '-1')).toEqual(['finding_1']);
});

test('an empty patch has no text and waits for nobody', async () => {
  const db = await redis.connectDb();
  await storePatch(db, { ...record, findingId: 'finding_2', state: 'empty' }, Buffer.alloc(0));
  expect(await readPatchText(db, 'finding_2')).toBeNull();
  expect(await redis.redis.zscore(redis.keys.patches, 'finding_2')).toBeNull();
  expect(await readPatch(db, 'finding_3')).toBeNull();
});
