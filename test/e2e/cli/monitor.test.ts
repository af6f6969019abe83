import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { toTaskId } from '../../../queues/ids.ts';
import { startAnthropicSimulator } from '../../../simulator/anthropic/server.ts';
import { startWorkerProcess } from '../../support/process/worker-process.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const shell = useShell(redis);
const fleet = shell.run;

async function readPast(...options: string[]): Promise<Record<string, string | null>[]> {
  const { stdout } = await fleet('monitor', '--since', '1h', '--no-follow', '--json', ...options);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string | null>);
}

it('`fleet monitor --since` tells of processes that came and died, and of what tasks did', async () => {
  const simulator = await startAnthropicSimulator({ latencyMs: 0 });
  redis.cleanup(() => simulator.close());
  await startWorkerProcess(redis, { id: 'haiku_stays', provider: simulator.url });
  const dies = await startWorkerProcess(redis, { id: 'haiku_dies', provider: simulator.url });
  const tasks = join(shell.folder, 'tasks.jsonl');
  writeFileSync(tasks, '{"description":"Say tea"}\n');
  expect(await fleet('task', '--file', tasks, '--batch', 'nightly', '--wait')).toMatchObject({ code: 0 });
  await fleet('halt', 'prices look wrong');
  await fleet('resume');
  dies.child.kill('SIGKILL');
  await waitUntil(async () => (await readPast('--what', 'left')).length > 0, { timeoutMs: 30_000 });

  const events = await readPast();
  const pairs = events.map(({ what, id }) => `${what} ${id}`);
  expect(pairs).toEqual(expect.arrayContaining(['joined haiku_stays', 'joined haiku_dies', 'left haiku_dies']));
  expect(pairs.filter((pair) => /^(begun|halt|resume)/.test(pair))).toEqual([
    `begun ${toTaskId('nightly', 1)}`,
    'halt person',
    'resume person',
  ]);
  expect(events.find(({ what }) => what === 'left')).toMatchObject({ summary: 'its process died' });
  expect((await readPast('--batch', 'nightly')).map(({ what }) => what)).toEqual([
    'begun',
    'finding',
    'batch-ended',
    'halt',
    'resume',
  ]);
});

it('refuses a kind that there is not, and an end without a beginning', async () => {
  const kind = await fleet('monitor', '--what', 'finding,hal');
  expect(kind).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--what: expected some of begun, .* got "hal"/),
  });
  expect(await fleet('monitor', '--no-follow')).toMatchObject({ code: 2, stderr: expect.stringContaining('--since') });
});
