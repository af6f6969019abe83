import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isAlive } from '../../../src/process/program/is-alive.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { useShell } from '../../support/process/use-shell.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const shell = useShell(redis);

test('of eight outside workers each dies after every second claim: a hundred tasks have one finding each', async () => {
  const fleet = await useFleet(redis);
  const tasks = Array.from({ length: 100 }, (_, i) => ({ description: `Count file ${i}`, for: 'outside' as const }));
  await fleet.tasks.addMany(tasks, { batch: 'hundred' });
  const late: { task_id: string; lease: string }[] = [];
  const isDone = async (): Promise<boolean> => (await fleet.batch('hundred')).completed === 100;

  async function work(as: string): Promise<void> {
    for (let n = 0; ; n += 1) {
      const claimed = await fleet.outside.claim({ as, leaseMs: 1_000 });
      if (claimed === null) {
        if (await isDone()) return;
        await sleep(100);
      } else if (n % 2 === 1) {
        late.push(claimed); // killed: it neither renews nor reports
      } else {
        await fleet.outside.report({ taskId: claimed.task_id, lease: claimed.lease, result: claimed.task.description });
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, i) => work(`agent-${i}`)));

  expect(late.length).toBeGreaterThan(30);
  for (const { task_id: taskId, lease } of late.slice(0, 10)) {
    await expect(fleet.outside.report({ taskId, lease, result: 'late' })).rejects.toThrow(/stands/);
  }
  const results = (await fleet.findings.list({ limit: 500 })).map(({ result }) => result);
  expect(results).toHaveLength(tasks.length);
  expect(new Set(results)).toEqual(new Set(tasks.map(({ description }) => description)));
  expect(await fleet.counters()).toMatchObject({ outside_leases_lost: String(late.length) });
});

test('a killed fleet worker leaves no program, and its task is offered again', async () => {
  const fleet = await useFleet(redis);
  const { id } = await fleet.tasks.add({ description: 'Wait', for: 'outside' });
  const pids = join(shell.folder, 'pids');
  const program = `echo $$ > ${pids}; setsid sh -c 'echo $$ >> ${pids}; sleep 60' & sleep 60`;
  const worker = shell.start(['worker', '--exec', program, '--as', 'program-1', '--lease', '2'], {
    env: { TMPDIR: shell.folder }, // what a killed worker leaves is removed with it
  });
  const readPids = (): number[] => {
    try {
      return readFileSync(pids, 'utf8').trim().split('\n').map(Number);
    } catch {
      return []; // not begun
    }
  };
  await waitUntil(() => readPids().length === 2, { timeoutMs: 30_000 });
  worker.child.kill('SIGKILL');
  await waitUntil(() => !readPids().some(isAlive), { timeoutMs: 10_000 });
  await waitUntil(async () => (await fleet.outside.claim({ as: 'program-2' }))?.task_id === id, { timeoutMs: 20_000 });
  expect(await fleet.logs(id)).toContain('lease lost: program-1');
});
