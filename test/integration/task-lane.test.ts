import { expect, test } from 'vitest';
import { JobFailedError } from '../../src/errors.ts';
import { makeWorkspace, openTestFleet, startHaiku, testConfig } from '../support/lane.ts';
import { useRedis } from '../support/redis.ts';
import { createScriptedModel } from '../support/scripted-model.ts';

const redis = useRedis();

test('turns a task into one finding that says what its tools did', async () => {
  const root = makeWorkspace(redis, { 'README.md': '# A site\n\nIt sells tea.\n' });
  const config = testConfig(redis, { FLEET_WORKSPACES: `site=${root}` });
  const model = createScriptedModel((_, call) =>
    call === 1 ? { tools: [{ name: 'read', input: { file_path: 'README.md' } }] } : 'README.md sells tea',
  );
  await startHaiku(redis, config, model);
  const fleet = await openTestFleet(redis, config);

  const job = await fleet.tasks.add({ description: 'What does the site sell?', workspace: 'site', kind: 'docs' });
  const finding = await job.finding({ timeoutMs: 10_000 });

  expect(finding).toMatchObject({
    finding_id: job.findingId,
    job_id: job.id,
    task: 'What does the site sell?',
    result: 'README.md sells tea',
    files_changed: [],
    citations: [],
    tokens_used: 600,
    cost: 0.00022, // 2 × (100 × $0.10 + 200 × $0.50) a million
    model: 'claude-haiku-5-5',
    kind: 'docs',
    recovered: 0,
  });
  expect(model.calls).toHaveLength(2);
  expect(JSON.stringify(model.calls[1]?.messages)).toContain('It sells tea.');
  const { keys } = redis;
  expect(await redis.redis.get(keys.cost('haiku'))).toBe('0.00022');
  expect(await redis.redis.hgetall(keys.reservations)).toEqual({});
  expect(await redis.redis.exists(keys.turns(job.id))).toBe(0);
  const day = new Date().toISOString().slice(0, 10);
  expect(await redis.redis.hgetall(keys.spend(`day:${day}`))).toEqual({ settled: '220000', reserved: '0' });
});

test('fails a task whose result breaks its schema twice, with the reason first', async () => {
  const config = testConfig(redis);
  const model = createScriptedModel(() => '{"lines": "many"}');
  await startHaiku(redis, config, model);
  const fleet = await openTestFleet(redis, config);

  const job = await fleet.tasks.add({
    description: 'Count',
    schema: { type: 'object', properties: { lines: { type: 'integer' } }, required: ['lines'] },
  });

  await expect(job.finding({ timeoutMs: 10_000 })).rejects.toThrow(JobFailedError);
  await expect(job.finding({ timeoutMs: 10_000 })).rejects.toThrow(/schema: .*lines must be integer/);
  expect(model.calls).toHaveLength(2);
});
