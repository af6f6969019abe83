import { expect, it } from 'vitest';
import { adoptExternal } from '../../../src/findings/external/adopt.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { waitUntil } from '../../support/wait.ts';
import type { StoredFinding } from '../../../src/findings/types.ts';

const redis = useRedis({ appendOnly: true });

/** Count of followers that wait for the next finding. */
const countFollowers = async (): Promise<number> =>
  String(await redis.redis.client('LIST'))
    .split('\n')
    .filter((line) => / name=fleet-follow .* flags=b /.test(line)).length;

it('reads what older programs stored, however little it is', async () => {
  const fleet = await useFleet(redis);
  const { redis: connection, keys } = redis;
  await connection.hset(keys.finding('old_1'), {
    task_id: 't1',
    worker_id: 'haiku_001',
    timestamp: '2025-11-21T10:15:00.123456',
    content: 'tea is sold',
  });
  await connection.set(
    keys.finding('six_1'),
    JSON.stringify({
      finding_id: 'another_name',
      worker_id: 'haiku_001',
      timestamp: '2025-11-20T10:15:00.123456',
      task: 'What is sold?',
      result: { drink: 'tea' },
      tokens_used: 300,
    }),
  );
  await connection.set(keys.finding('broken_1'), 'no JSON');
  await connection.set(keys.finding('list_1'), '[1]');
  await connection.zadd(keys.index, 2, 'old_1', 1, 'six_1', 3, 'broken_1', 4, 'list_1', 5, 'gone_1');

  expect(await fleet.findings.get('old_1')).toMatchObject({
    finding_id: 'old_1',
    result: 'tea is sold',
    citations: [],
  });
  expect(await fleet.findings.get('six_1')).toMatchObject({
    finding_id: 'six_1',
    at: new Date(2025, 10, 20, 10, 15, 0, 123).toISOString(),
    result: { drink: 'tea' },
    files_changed: [],
    topics: [],
  });
  expect(await fleet.findings.get('broken_1')).toBeNull();
  expect(await fleet.findings.get('gone_1')).toBeNull();
  expect((await fleet.findings.list()).map((finding) => finding.finding_id)).toEqual(['old_1', 'six_1']);
  expect(await fleet.findings.search('TEA IS', { limit: 5 })).toEqual([
    { id: 'old_1', summary: 'tea is sold', at: new Date(2025, 10, 21, 10, 15, 0, 123).toISOString() },
  ]);
  const each = [];
  for await (const finding of fleet.findings.each({ limit: 1 })) each.push(finding.finding_id);
  expect(each).toEqual(['six_1']);
});

it('follows findings in the order they are stored, only those asked for', async () => {
  const fleet = await useFleet(redis, {
    env: { FLEET_HAIKU_CONCURRENCY: '1' },
    haiku: createScriptedModel(() => 'tea'),
  });
  await (await fleet.tasks.add({ description: 'before' })).finding({ timeoutMs: 10_000 });

  const all = fleet.findings.follow();
  const some = fleet.findings.follow({ batch: 'two' });
  await fleet.tasks.addMany([{ description: 'a' }, { description: 'b' }], { batch: 'one' });
  await fleet.tasks.addMany([{ description: 'c' }, { description: 'd' }], { batch: 'two' });
  expect(await take(all, 4)).toEqual(['a', 'b', 'c', 'd']);
  expect(await take(some, 2)).toEqual(['c', 'd']);
});

it('tells of what was stored while Redis was away, and stops while it is away', async () => {
  const fleet = await useFleet(redis);
  const stop = new AbortController();
  const first = take(fleet.findings.follow(), 1);
  const second = take(fleet.findings.follow({ signal: stop.signal }), 1);
  await waitUntil(async () => (await countFollowers()) === 2);
  await redis.kill();
  await waitUntil(() => redis.redis.status !== 'ready');
  stop.abort();
  expect(await second).toEqual([]);
  await redis.start();
  const other = await useFleet(redis, { haiku: createScriptedModel(() => 'tea') });
  await other.tasks.add({ description: 'late' });
  expect(await first).toEqual(['late']);
});

it('tells of what an old program stored as a hash', async () => {
  const fleet = await useFleet(redis);
  const first = take(fleet.findings.follow(), 1);
  await waitUntil(async () => (await countFollowers()) === 1);
  await redis.redis.hset(redis.keys.finding('old_1'), { task: 'old', content: 'tea' });
  await adoptExternal(redis.db, ['old_1']);
  expect(await first).toEqual(['old']);
});

it('stops following when told, or when the fleet is closed', async () => {
  const fleet = await useFleet(redis);
  const stop = new AbortController();
  const walks = [take(fleet.findings.follow({ signal: stop.signal }), 1), take(fleet.findings.follow(), 1)];
  await waitUntil(async () => (await countFollowers()) === 2);
  stop.abort();
  expect(await walks[0]).toEqual([]);
  await fleet.close();
  expect(await walks[1]).toEqual([]);
});

async function take(findings: AsyncIterable<StoredFinding>, count: number): Promise<(string | undefined)[]> {
  const tasks: (string | undefined)[] = [];
  for await (const finding of findings) {
    tasks.push(finding.task);
    if (tasks.length === count) break;
  }
  return tasks;
}

it('refuses options that findings and patches do not have', async () => {
  const { findings, patches } = await useFleet(redis);
  const typo = (name: string): never => ({ [name]: 'x' }) as never;
  await expect(findings.list(typo('bacth'))).rejects.toThrow(
    /findings\.list: "bacth" is no option.*did you mean batch\?/,
  );
  await expect(findings.find('tea', typo('deadline'))).rejects.toThrow(/did you mean deadlineMs\?/);
  await expect(findings.search('tea', typo('most'))).rejects.toThrow(/findings\.search: "most" is no option/);
  expect(() => findings.each(typo('answer'))).toThrow(/did you mean answers\?/);
  expect(() => findings.follow(typo('limit'))).toThrow(/findings\.follow: "limit" is no option/);
  await expect(patches.list(typo('missions'))).rejects.toThrow(/did you mean mission\?/);
  await expect(patches.apply(typo('dryrun'))).rejects.toThrow(/did you mean dryRun\?/);
  await expect(patches.discard(typo('id'))).rejects.toThrow(/patches\.discard: "id" is no option/);
  await expect(patches.worktrees(typo('purge'))).rejects.toThrow(/patches\.worktrees: "purge" is no option/);
});
