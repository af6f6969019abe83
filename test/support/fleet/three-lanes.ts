import { setTimeout as sleep } from 'node:timers/promises';
import { RedisUnusableError } from '../../../src/errors.ts';
import { toFindingId } from '../../../src/findings/finding.ts';
import { readEnds } from '../../../src/jobs/state/states.ts';
import { startWorkerProcess, type WorkerProcess } from '../process/worker-process.ts';
import { readBooks, toBills, type Books } from '../redis/books.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { waitUntil } from '../wait.ts';
import { useSimulatedFleet, type SimulatedFleet } from './simulated-fleet.ts';

export interface LanesReport {
  /** Tasks, questions and missions that Redis had acknowledged. */
  acknowledged: number;
  /** Those of them that are gone: no job, no finding. */
  lost: string[];
  /** Calls that the provider served again for the same turn of the same job. */
  paidAgain: number;
  /** From the fault to the first task that is acknowledged after it, and to its finding, ms. */
  acceptsAfterMs: number;
  worksAfterMs: number;
  books: Books;
  ended: string[];
}

/** A fleet of built processes for all three queues. The caller's workers end with the test. */
export async function startLanes(
  redis: TestRedis,
  env: Record<string, string> = {},
): Promise<{ fleet: SimulatedFleet; workers: WorkerProcess[] }> {
  const fleet = await useSimulatedFleet(redis, { workers: 0, env, simulator: { latencyMs: 300, logLimit: 100_000 } });
  const provider = fleet.simulator.url;
  const kinds = [
    ['w1', 'haiku'],
    ['w2', 'haiku'],
    ['l1', 'librarian'],
    ['c1', 'coordinator'],
  ] as const;
  const workers = await Promise.all(
    kinds.map(([id, kind]) => startWorkerProcess(redis, { id, kind, provider, slots: 5, env })),
  );
  return { fleet, workers };
}

/**
 * Gives work to all three queues, lets a fault happen under it, and waits until everything that was acknowledged is done or lost.
 * @param fault returns when it has happened
 */
export async function runLanes(
  redis: TestRedis,
  lanes: { fleet: SimulatedFleet; workers: WorkerProcess[] },
  options: { tasks: number; fault: () => Promise<void> },
): Promise<LanesReport> {
  const { fleet, workers } = lanes;
  const acknowledged: string[] = [];
  const add = async (): Promise<{ finding(): Promise<unknown> }> => {
    for (;;) {
      try {
        const handle = await fleet.tasks.add({ description: `Say ${acknowledged.length} [[turns:2]]` });
        acknowledged.push(handle.id);
        return handle;
      } catch (error) {
        if (!(error instanceof RedisUnusableError)) throw error;
        await sleep(100);
      }
    }
  };
  const before = fleet.simulator.served().calls;
  for (let i = 0; i < options.tasks; i += 1) await add();
  await waitUntil(() => fleet.simulator.served().calls >= before + 5, { what: 'calls under way' });
  const adding = (async () => {
    for (let i = 0; i < options.tasks; i += 1) {
      await add();
      await sleep(50);
    }
  })();
  await sleep(300);
  await options.fault();
  const since = performance.now();
  const first = await add();
  const acceptsAfterMs = Math.round(performance.now() - since);
  await first.finding();
  const worksAfterMs = Math.round(performance.now() - since);
  await adding;
  const question = await fleet.ask('What is said?');
  const mission = await fleet.missions.add({ goal: 'Say that all is done. [[tasks:3]]', budget_usd: 50 });
  await question.finding({ timeoutMs: 60_000 });
  await mission.finding({ timeoutMs: 60_000 });

  const lost = await waitUntil(
    async () => {
      const ends = await readEnds(fleet.inner.db, 'tasks', acknowledged);
      if (ends.some((end) => end.state === 'open' || end.state === 'failed')) return null;
      const stored = await Promise.all(
        acknowledged.map((id) => redis.redis.exists(redis.keys.finding(toFindingId(id)))),
      );
      return acknowledged.filter((_, i) => stored[i] === 0);
    },
    { timeoutMs: 60_000, what: 'the end of every task' },
  );
  const bills = toBills(fleet.simulator.requests().filter(({ user }) => acknowledged.includes(user ?? '')));
  return {
    acknowledged: acknowledged.length,
    lost: lost ?? [],
    paidAgain: bills.calls - bills.turns,
    acceptsAfterMs,
    worksAfterMs,
    books: await readBooks(redis),
    ended: workers.filter((worker) => worker.hasEnded()).map(({ id }) => id),
  };
}
