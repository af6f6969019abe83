import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TaskInput } from '../../../queues/tasks.ts';
import type { Config } from '../../../src/config/environment.ts';
import { BoundThinkingError } from '../../../src/errors.ts';
import { saveContext } from '../../../src/contexts/memory-contexts.ts';
import { useFleet, type TestFleet } from '../../support/fleet/use-fleet.ts';
import type { Step } from '../../support/models/scripted-model.ts';
import { createThinkingModel, hasThinking } from '../../support/models/thinking-model.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const LOOK: Step = { tools: [{ name: 'findings', input: { action: 'search', query: 'tea' } }] };

test('a task that reads nine files of 57 kB is trimmed and ends', async () => {
  const paths = Array.from({ length: 9 }, (_, i) => `part-${i}.txt`);
  const site = Object.fromEntries(paths.map((path) => [path, `${path} sells tea.\n`.repeat(2_590)]));
  const model = createThinkingModel((_, call) => {
    const path = paths[call - 1];
    return path === undefined ? 'nine parts' : { tools: [{ name: 'read', input: { file_path: path } }] };
  });
  const fleet = await useFleet(redis, { site, haiku: model });

  const job = await fleet.tasks.add({ description: 'Read all parts', workspace: 'site' });

  expect(await job.finding({ timeoutMs: 20_000 })).toMatchObject({ result: 'nine parts' });
  expect(model.calls).toHaveLength(10);
  const last = JSON.stringify(model.calls.at(-1)?.messages);
  expect(last).toContain('part-8.txt sells tea.');
  expect(last).toContain('[this tool result was dropped');
  expect(await fleet.logs(job.id)).not.toContain('asked again');
});

const CHANGES: [string, { task?: Partial<TaskInput>; config?: Partial<Config>; before?: Change; between?: Change }][] =
  [
    ['of other allowed programs', { task: { workspace: 'site' }, config: { FLEET_RUN_ALLOW: ['node'] } }],
    [
      'with a new text of a context whose old one is no longer kept',
      {
        task: { contexts: ['notes'] },
        before: ({ inner }) => saveContext(inner.db, 'notes', 'It began.'),
        async between({ inner: { db } }) {
          await saveContext(db, 'notes', 'It goes on.');
          return db.redis.del(db.keys.contextVersions('notes'));
        },
      },
    ],
    ['after a version that stored no prefix', { between: forgetPrefixes }],
  ];
type Change = (fleet: TestFleet, id: string) => Promise<unknown>;

test.each(CHANGES)('a worker %s takes over a thinking task and ends it', async (_, change) => {
  const { fleet, model, job } = await handOver(change);
  expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({ result: 'done', recovered: 3 });
  expect(model.calls).toHaveLength(5);
  expect(model.calls.map(hasThinking)).toEqual([false, true, true, false, true]);
  const logs = await fleet.logs(job.id);
  expect(logs).toMatch(/turn 4 of 30: .*without the thinking of 3 replies to another prompt/);
  expect(logs).not.toContain('asked again');
});

test('a worker of the same kind takes over with all thinking', async () => {
  const { model, job } = await handOver({});
  expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({ result: 'done', recovered: 3 });
  expect(model.calls.map(hasThinking)).toEqual([false, true, true, true, true]);
});

test('a worker that takes a task over begins with what the first one saw', async () => {
  const { fleet, model, job } = await handOver({
    task: { workspace: 'site', files: ['a.txt'] },
    between: async ({ site }) => {
      await writeFile(join(site, 'a.txt'), 'coffee\n');
      await writeFile(join(site, 'b.txt'), 'new\n');
    },
  });
  expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({ result: 'done' });
  const first = model.calls.map(({ messages }) => JSON.stringify(messages[0]));
  expect(new Set(first).size).toBe(1);
  expect(first[0]).toContain('top level: a.txt');
  expect(first[0]).toContain('tea');
  expect(model.calls.map(hasThinking)).toEqual([false, true, true, true, true]);
  expect(await fleet.logs(job.id)).not.toContain('asked again');
});

test('thinking that the provider refuses nevertheless is dropped, and the call repeated once for nothing', async () => {
  let refusals = 0;
  const model = createThinkingModel((request, call) => {
    if (call === 3 && hasThinking(request)) {
      refusals += 1;
      const error = new BoundThinkingError('messages.1.content.0: Invalid `signature` in `thinking` block.');
      error.billed = 'no';
      throw error;
    }
    return call < 3 ? LOOK : 'done';
  });
  const fleet = await useFleet(redis, { haiku: model });
  const job = await fleet.tasks.add({ description: 'Look for tea' });

  expect(await job.finding({ timeoutMs: 10_000 })).toMatchObject({ result: 'done' });

  expect({ refusals, calls: model.calls.length }).toEqual({ refusals: 1, calls: 4 });
  expect(await fleet.logs(job.id)).toMatch(/turn 3 of 30: final .*asked again without thinking/);
  expect(await readBooks(redis)).toMatchObject({ ledgerCalls: 3, uncertainCalls: 0, reserved: 0 });
});

/** Lets one worker do three turns of a task of five, closes it, and starts another that differs as given. */
async function handOver({ task, config, before, between }: (typeof CHANGES)[number][1]) {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const model = createThinkingModel(async (_, call) => {
    if (call === 3) await released;
    return call < 5 ? LOOK : 'done';
  });
  const fleet = await useFleet(redis, { site: { 'a.txt': 'tea\n' } });
  await before?.(fleet, '');
  const first = await fleet.startHaiku(model, { FLEET_RUN_ALLOW: [] });
  const job = await fleet.tasks.add({ description: 'Look for tea', ...task });
  await waitUntil(() => model.calls.length === 3, { what: 'the third call' });
  const closed = first.close();
  release();
  await closed;
  await between?.(fleet, job.id);
  await fleet.startHaiku(model, config);
  return { fleet, model, job };
}

/** Leaves the stored turns as versions before this one stored them. */
async function forgetPrefixes(_: TestFleet, id: string): Promise<void> {
  const key = redis.keys.turns(id);
  const stored = await redis.redis.hgetall(key);
  const replies = Object.entries(stored).filter(([field]) => field.startsWith('r:'));
  for (const [field, json] of replies) {
    const { prefix: _prefix, first: _first, ...reply } = JSON.parse(json) as { prefix: string; first?: object };
    await redis.redis.hset(key, field, JSON.stringify(reply));
  }
  expect(replies).toHaveLength(3);
}
