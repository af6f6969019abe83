import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beginSession } from '../../../src/swarm/session.ts';
import { JobFailedError } from '../../../src/errors.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';

const redis = useRedis();

test('turns a task into one finding that says what its tools did', async () => {
  const model = createScriptedModel((_, call) =>
    call === 1 ? { tools: [{ name: 'read', input: { file_path: 'README.md' } }] } : 'README.md sells tea',
  );
  const fleet = await useFleet(redis, { site: { 'README.md': '# A site\n\nIt sells tea.\n' }, haiku: model });

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

test('keeps what was paid for where another program left no number in the public totals', async () => {
  const { keys } = redis;
  await redis.redis.set(keys.cost('haiku'), 'much');
  await redis.redis.hset(keys.contextActive, 'tokens', 'many');
  const model = createScriptedModel(() => 'done');
  const fleet = await useFleet(redis, { haiku: model });
  const job = await fleet.tasks.add({ description: 'Do it.' });
  expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({ result: 'done' });
  expect(model.calls).toHaveLength(1);
  const day = new Date().toISOString().slice(0, 10);
  expect(await redis.redis.hgetall(keys.spend(`day:${day}`))).toEqual({ settled: '110000', reserved: '0' });
  expect(await redis.redis.get(keys.cost('haiku'))).toBe('much');
  expect(await redis.redis.hget(keys.counters, 'public_total_unreadable')).toBe('1');
  expect(await beginSession(fleet.inner.db, 'next')).toBe('next');
});

test('leaves one log line and the progress of each turn on the job', async () => {
  const model = createScriptedModel((_, call) =>
    call === 1 ? { tools: [{ name: 'read', input: { file_path: 'README.md' } }] } : 'done',
  );
  const fleet = await useFleet(redis, { site: { 'README.md': '# A site\n' }, haiku: model });

  const { id, finding } = await fleet.tasks.add({ description: 'Read it', workspace: 'site', max_turns: 5 });
  await finding({ timeoutMs: 10_000 });

  const { logs } = await fleet.queue.getJobLogs(id);
  expect(logs).toEqual([
    expect.stringMatching(/ turn 1 of 5: read \(\$0\.000110, 300 tokens, haiku_/),
    expect.stringMatching(/ turn 2 of 5: final \(\$0\.000110, 300 tokens, haiku_/),
  ]);
  expect((await fleet.bullJob(id)).progress).toEqual({ turn: 2, of: 5, costUsd: 0.00022 });
});

test('begins no tool when no turn is left to hear of it', async () => {
  const model = createScriptedModel(() => ({
    tools: [{ name: 'write', input: { file_path: 'late.txt', content: 'too late' } }],
  }));
  const fleet = await useFleet(redis, { site: {}, haiku: model });

  const job = await fleet.tasks.add({ description: 'Write it', workspace: 'site', max_turns: 1 });

  await expect(job.finding({ timeoutMs: 10_000 })).rejects.toThrow(/step-limit: no result after 1 turn;/);
  expect(existsSync(join(fleet.site, 'late.txt'))).toBe(false);
});

test('fails a task whose result breaks its schema twice, with the reason first', async () => {
  const model = createScriptedModel(() => '{"lines": "many"}');
  const fleet = await useFleet(redis, { haiku: model });

  const job = await fleet.tasks.add({
    description: 'Count',
    schema: { type: 'object', properties: { lines: { type: 'integer' } }, required: ['lines'] },
  });

  await expect(job.finding({ timeoutMs: 10_000 })).rejects.toThrow(JobFailedError);
  await expect(job.finding({ timeoutMs: 10_000 })).rejects.toThrow(/schema: .*lines must be integer/);
  expect(model.calls).toHaveLength(2);
});
