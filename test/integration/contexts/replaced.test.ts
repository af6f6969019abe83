import { expect, test } from 'vitest';
import type { ModelRequest } from '../../../src/models/model.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel, type Step } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
/** The memory contexts of a request, by name. */
const contextsOf = ({ system }: ModelRequest): Record<string, string> => {
  const text = (system as { text: string }[]).map((block) => block.text).join('\n');
  const found = text.matchAll(/<context name="([^"]+)">\n([\s\S]*?)\n<\/context>/g);
  return Object.fromEntries([...found].map(([, name, document]) => [name ?? '', document ?? '']));
};
const versionText = (version: number): string => `v${version} `.repeat(20_000).trim();

test('two hundred tasks see one whole version each while the context is replaced', async () => {
  const loadEnd = new AbortController();
  const seen: string[] = [];
  const model = createScriptedModel((request) => {
    seen.push(contextsOf(request)['house'] ?? '');
    return 'done';
  });
  const fleet = await useFleet(redis, { haiku: model });
  await fleet.contexts.load('house', versionText(1));
  await fleet.contexts.load('large', 'w0 '.repeat(1_000_000));
  const large: string[] = [];
  const load = async (): Promise<void> => {
    for (let version = 2; !loadEnd.signal.aborted; version += 1) {
      await fleet.contexts.load('house', versionText(version));
      await fleet.contexts.load('large', `w${version} `.repeat(1_000_000));
      const { text = '', sha256 = '' } = (await fleet.contexts.get('large')) ?? {};
      large.push(`${new Set(text.trim().split(' ')).size} ${sha256 !== ''}`);
    }
  };
  const loading = load();
  const tasks = Array.from({ length: 200 }, () => ({ description: 'Look.', contexts: ['house'] }));
  const { ids } = await fleet.tasks.addMany(tasks);
  for await (const end of fleet.tasks.ends(ids, { timeoutMs: 60_000 })) expect(end.state).toBe('completed');
  loadEnd.abort();
  await loading;
  expect(seen).toHaveLength(200);
  for (const text of seen) expect(text).toBe(versionText(Number(/^v(\d+)/.exec(text)?.[1])));
  expect(new Set(seen).size).toBeGreaterThan(1);
  expect(new Set(large)).toEqual(new Set(['1 true']));
  const { keys, redis: admin } = redis;
  for (const name of ['house', 'large']) expect(await admin.ttl(keys.context(name))).toBe(-1); // it never expires
  expect(await admin.ttl(keys.contexts)).toBe(-1);
  expect(await admin.hlen(keys.contextVersions('house'))).toBeLessThanOrEqual(11);
  expect(await admin.exists(keys.contextVersions('large'))).toBe(0);
}, 90_000);

test('a run that takes a task over uses the version that the task began with', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const look: Step = { tools: [{ name: 'findings', input: { action: 'search', query: 'tea' } }] };
  const model = createScriptedModel(async (request, call) => {
    if (call === 2) await released;
    return call < 4 ? look : JSON.stringify(contextsOf(request));
  });
  const fleet = await useFleet(redis);
  const first = await fleet.startHaiku(model);
  await fleet.contexts.load('house', 'It began.');
  await fleet.contexts.load('north', 'Of the shard.');
  const job = await fleet.tasks.add({ description: 'Look.', contexts: ['house'], shard: 'north' });
  await waitUntil(() => model.calls.length === 2);
  for (const text of ['It goes on.', 'It ends.']) await fleet.contexts.load('house', text);
  const closed = first.close(); // the call under way ends, then the job goes back
  release();
  await closed;
  await fleet.startHaiku(model);
  const { result, recovered } = await job.finding({ timeoutMs: 20_000 });
  expect({ result, recovered }).toEqual({ result: '{"house":"It began.","north":"Of the shard."}', recovered: 2 });

  const later = await fleet.tasks.add({ description: 'Look.', contexts: ['house'], shard: 'south' });
  expect(await later.result({ timeoutMs: 20_000 })).toBe('{"house":"It ends."}');
});

test('a context that is too long for a task is named, and left out where the task did not ask for it', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel((request) => JSON.stringify(contextsOf(request))) });
  await fleet.contexts.load('north', 'x'.repeat(200_001));
  const own = await fleet.tasks.add({ description: 'Look.', shard: 'north' });
  expect(await own.result({ timeoutMs: 20_000 })).toBe('{}');
  const named = await fleet.tasks.add({ description: 'Look.', contexts: ['north'] });
  await expect(named.result({ timeoutMs: 20_000 })).rejects.toThrow(
    /context: north is longer.*fleet ask --context north/,
  );
});
