import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useSimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { readBooks, toBills } from '../../support/redis/books.ts';
import { KILLED_BUDGET_USD } from '../../support/process/kept-workers.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/process/worker-process.ts';
import { createRandom, takeSeed } from '../../support/random.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

/** The long form: `FLEET_TEST_KILLS=100 FLEET_TEST_TASKS=400`. */
const KILLS = Number(process.env['FLEET_TEST_KILLS'] ?? 8);
const TASKS = Number(process.env['FLEET_TEST_TASKS'] ?? 30);
const SLOTS = 6;
/** The contract: another worker continues the job of a killed one within this time. */
const RECOVERED_WITHIN_MS = 15_000;

const redis = useRedis();

test(
  'loses, repeats and pays nothing twice when workers are killed at random',
  { timeout: 120_000 + KILLS * 15_000 },
  async () => {
    const random = createRandom(takeSeed('kill -9 at random'));
    const fleet = await useSimulatedFleet(redis, {
      workers: 0,
      site: { 'a.txt': 'the import of tea\n'.repeat(50), 'b.txt': 'const tea = 1\n' },
      simulator: { logLimit: 100_000 },
    });
    const { simulator, queue, site: root } = fleet;
    let started = 0;
    const start = (): Promise<WorkerProcess> =>
      startWorkerProcess(redis, {
        id: `w${++started}`,
        provider: simulator.url,
        slots: SLOTS,
        workspace: root,
        env: { FLEET_BUDGET_USD: KILLED_BUDGET_USD },
      });
    const workers = [await start(), await start()];

    const wanted = new Map<string, number>();
    const inputs = Array.from({ length: TASKS }, (_, i) => {
      const turns = random(3, 7);
      wanted.set(`kill-${i + 1}`, turns);
      return {
        description: `Describe a.txt [[turns:${turns}]] [[latency:${random(100, 700)}]]`,
        workspace: 'site',
        files: ['a.txt', 'b.txt'],
      };
    });
    await fleet.tasks.addMany(inputs, { batch: 'kill' });

    const heldBy = async (worker: WorkerProcess): Promise<string[]> => {
      const active = await queue.getActive();
      return active.filter((job) => job.processedBy === worker.id).map((job) => job.id ?? '');
    };
    const recoveries: Promise<unknown>[] = [];
    let kills = 0;
    while (kills < KILLS) {
      const victim = random(0, 1);
      const worker = workers[victim];
      if (worker === undefined) break;
      const busy = await waitUntil(async () => (await heldBy(worker)).length > 0 || (await isDone()), {
        timeoutMs: 60_000,
        what: `work for ${worker.id}`,
      });
      await sleep(random(0, 1_500)); // the random part: it waits for no condition
      await worker.end('SIGKILL');
      kills += 1;
      const orphans = await heldBy(worker);
      recoveries.push(waitUntil(async () => (await heldBy(worker)).length === 0, orphansOf(worker, orphans)));
      if (!busy || (await isDone())) break;
      workers[victim] = await start();
    }
    await Promise.all(recoveries);
    await waitUntil(isDone, { timeoutMs: 90_000, what: 'the end of every job' });

    async function isDone(): Promise<boolean> {
      const counts = await queue.getJobCounts('completed', 'failed');
      return (counts['completed'] ?? 0) + (counts['failed'] ?? 0) === TASKS;
    }

    expect(await queue.getFailed()).toEqual([]);
    expect(await redis.redis.zcard(redis.keys.index)).toBe(TASKS);
    expect(await redis.redis.xlen(redis.keys.events)).toBe(TASKS); // one entry for each recorded finding
    const findings = await fleet.findings.list({ limit: TASKS + 1 });
    expect(new Set(findings.map((finding) => finding['job_id']))).toEqual(new Set(wanted.keys()));
    expect(findings).toHaveLength(TASKS);

    const books = await readBooks(redis);
    const bills = toBills(simulator.requests());
    const turns = [...wanted.values()].reduce((sum, count) => sum + count, 0);
    expect(bills.turns).toBe(turns);
    expect(books.ledgerCalls).toBe(turns);
    expect(books.settled).toBe(bills.lastNano);
    expect(books.ledgerNano).toBe(books.settled);
    expect(books.costHaiku).toBe(books.settled);
    expect(books).toMatchObject({ reserved: 0, openReservations: 0 });
    // A served call that is not settled was lost with its process: it is booked as uncertain.
    expect(bills.calls - books.ledgerCalls).toBeLessThanOrEqual(books.uncertainCalls);
    expect(books.uncertainCalls).toBeLessThanOrEqual(kills * SLOTS);
    expect(books.uncertain > 0).toBe(books.uncertainCalls > 0);
  },
);

function orphansOf(worker: WorkerProcess, jobs: string[]) {
  return { timeoutMs: RECOVERED_WITHIN_MS, what: `the recovery of ${jobs.join(', ')} from ${worker.id}` };
}
