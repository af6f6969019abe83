import { expect, test } from 'vitest';
import { toBudgetError } from '../../../src/ledger/refusals.ts';
import { toUtcDay } from '../../../src/findings/timestamp.ts';
import { toOutcome } from '../../../src/jobs/outcomes/outcomes.ts';
import { releaseParked, type ParkedScope } from '../../../src/jobs/outcomes/parked.ts';
import { readBudget, setBudget } from '../../../src/ledger/budget.ts';
import type { BudgetScope, BudgetState } from '../../../src/ledger/budget-types.ts';
import { toExactUsd } from '../../../src/pricing/money.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { TaskIdentity } from '../../../src/ledger/types.ts';
import { addQuery } from '../../../src/librarian/queries/enqueue.ts';
import { createLogger } from '../../../src/process/logger.ts';
import { useSimulatedFleet, type SimulatedFleet } from '../../support/fleet/simulated-fleet.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { createScriptedArchive } from '../../support/models/scripted-archive.ts';
import { readBooks } from '../../support/redis/books.ts';
import { takeJob } from '../../support/fleet/bare-queue.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const TASKS = 100;
const MONEY_FOR = 40;
const description = (n: number): string => `Say ${n} [[turns:1]] [[tokens:2000]]`;

interface Scope {
  /** Stamped on each task. */
  stamp: { client?: string; batch?: string; mission_id?: string };
  budget: BudgetScope;
  /** Its name in the ledger. */
  spend: string;
  /** What a raised budget releases; null: the fleet halts instead. */
  parked: ParkedScope | null;
}

const SCOPES: [string, Scope][] = [
  ['the day', { stamp: {}, budget: null, spend: `day:${toUtcDay(new Date())}`, parked: null }],
  [
    'a client',
    {
      stamp: { client: 'alice' },
      budget: { client: 'alice' },
      spend: 'client:alice',
      parked: { scope: 'client', name: 'alice' },
    },
  ],
  [
    'a batch',
    {
      stamp: { batch: 'big' },
      budget: { batch: 'big' },
      spend: 'batch:big',
      parked: { scope: 'batch', name: 'big' },
    },
  ],
  [
    'a mission',
    {
      stamp: { mission_id: 'mission-a' },
      budget: { mission: 'mission-a' },
      spend: 'mission:mission-a',
      parked: { scope: 'mission', name: 'mission-a' },
    },
  ],
];

/** The cost of one such task by the provider's own bill. */
async function measureCost(fleet: SimulatedFleet): Promise<number> {
  await fleet.until(await fleet.add(description(10)), 'completed');
  return fleet.simulator.served().billNanoUsd;
}

/** Whether no job can run: the rest is parked, or the fleet is halted. */
async function standsStill({ queue, halt }: SimulatedFleet): Promise<boolean> {
  const { active = 0, waiting = 0, delayed = 0 } = await queue.getJobCounts('active', 'waiting', 'delayed');
  if (active > 0) return false;
  if ((await halt.read()) !== null) return true;
  return waiting === 0 && delayed > 0 && delayed === (await redis.redis.hlen(redis.keys.parked));
}

test.each(SCOPES)(
  'with money for forty of a hundred tasks at once %s books and is billed no more, and more money ends the rest',
  async (_, { stamp, budget, spend, parked }) => {
    const fleet = await useSimulatedFleet(redis, { workers: 2, slots: 50, simulator: { latencyMs: 20 } });
    const { db, queues } = fleet.inner;
    const { keys } = db;
    const each = await measureCost(fleet);
    const before = budget === null ? each : 0; // the day has already paid for the first task
    const limit = before + MONEY_FOR * each;
    await setBudget(db, Number(toExactUsd(limit)), budget);
    await queues.tasks.addBulk(
      Array.from({ length: TASKS }, (__, i) => ({
        name: 'task',
        data: { description: description(i + 10), session: 's', ...stamp },
        opts: { jobId: `t-${i}` },
      })),
    );
    await waitUntil(async () => (await queues.tasks.getCompletedCount()) > 1, { what: 'the first ends' });
    await waitUntil(() => standsStill(fleet), { what: 'a fleet that stands still', timeoutMs: 30_000 });

    const booked = await redis.redis.hmget(keys.spend(spend), 'settled', 'reserved', 'uncertain');
    const billed = fleet.simulator.served().billNanoUsd;
    expect(booked.map(Number).reduce((sum, part) => sum + part, 0)).toBeLessThanOrEqual(limit);
    expect(billed - each + before).toBeLessThanOrEqual(limit);
    expect(await queues.tasks.getFailedCount()).toBe(0);
    const done = (await queues.tasks.getCompletedCount()) - 1;
    expect(done).toBeLessThan(TASKS); // the first writes the cache that the others read, and each thinks another amount
    expect(done).toBeGreaterThan(MONEY_FOR / 2); // tasks wait for what calls under way hold

    await setBudget(db, 100, budget);
    if (parked === null) await fleet.halt.resume();
    else await releaseParked(fleet.inner, parked);
    await waitUntil(async () => (await queues.tasks.getCompletedCount()) === TASKS + 1, {
      what: 'the end of all',
      timeoutMs: 30_000,
    });
    expect(await queues.tasks.getFailedCount()).toBe(0);
    const books = await readBooks(redis);
    expect(books).toMatchObject({ ledgerCalls: TASKS + 1, reserved: 0, uncertainCalls: 0 });
    expect(books.settled).toBe(fleet.simulator.served().billNanoUsd);
  },
  90_000,
);

test('a mission’s budget parks its questions too, and more money answers them', async () => {
  await storeFindings(redis, { finding_tea: { task: 'How much tea?', result: '40 crates' } });
  const archive = createScriptedArchive(() => ({ answer: '40 [finding_tea].', citations: ['finding_tea'] }));
  const fleet = await useFleet(redis, {
    env: { GEMINI_API_KEY: 'not-a-real-key', GEMINI_TIER: 'paid' },
    librarian: archive,
  });
  const { db, queues } = fleet.inner;
  const { redis: connection, keys } = db;
  await setBudget(db, 0, { mission: 'mission-a' });

  const asked = { question: 'How much tea?', mission_id: 'mission-a' };
  await addQuery({ db, queue: queues.archive }, asked, { queryId: 'q1', session: 's' });
  await waitUntil(async () => (await queues.archive.getJobState('archive_q1')) === 'delayed', { what: 'the parking' });
  expect(await connection.hexists(keys.parked, 'archive_q1')).toBe(1);
  expect(archive.calls).toHaveLength(0);

  await setBudget(db, 1, { mission: 'mission-a' });
  expect(await releaseParked(fleet.inner, { scope: 'mission', name: 'mission-a' })).toBe(1);
  await waitUntil(() => connection.exists(keys.finding('archive_q1')), { what: 'the answer' });
  expect(archive.calls).toHaveLength(1);
});

test('a mission whose own call would pass its budget is parked in its own queue, and released there', async () => {
  const fleet = await useSimulatedFleet(redis, { workers: 0 });
  const { db, queues } = fleet.inner;
  await queues.missions.add('mission', { goal: 'learn' }, { jobId: 'mission-a' });
  const job = await takeJob(redis, 'missions');
  await setBudget(db, 0.001, { mission: 'mission-a' });
  const log = createLogger('test', 'silent');
  const parts = { db, queue: queues.missions, halt: fleet.halt, workerId: 'w', log };
  await toOutcome(
    toBudgetError({
      kind: 'budget',
      scope: 'mission',
      name: 'mission-a',
      limit: 1_000_000,
      spent: 0,
      worst: 1,
      held: false,
    }),
    job,
    'token',
    parts,
  );
  expect(await queues.missions.getJobState('mission-a')).toBe('delayed');

  await setBudget(db, 1, { mission: 'mission-a' });
  expect(await releaseParked(fleet.inner, { scope: 'mission', name: 'mission-a' })).toBe(1);
  expect(await queues.missions.getJobState('mission-a')).toBe('waiting');
});

test('what was reserved for a call comes back where it was not sent, and stays apart where nobody knows', async () => {
  const { db } = redis;
  const ledger = createTurnLedger({ db, workerId: 'w' });
  const reserve = async (jobId: string): Promise<[TaskIdentity, string]> => {
    const task = toIdentity(jobId);
    const answer = await ledger.begin(task, { turn: 0, worstNanoUsd: 700, first: true });
    if (answer.kind !== 'reserved') throw new Error(`expected a reservation, got ${answer.kind}`);
    return [task, answer.reservation];
  };
  const books = (): Promise<BudgetState> => readBudget(db, { mission: 'mission-a' }, new Date());
  await setBudget(db, 1, { mission: 'mission-a' });

  await ledger.closeReservation(...(await reserve('never-sent')), 'release');
  expect(await books()).toMatchObject({ settled: 0, reserved: 0, uncertain: 0 });
  await ledger.closeReservation(...(await reserve('killed')), 'uncertain');
  expect(await books()).toMatchObject({ settled: 0, reserved: 0, uncertain: 700 });
});

test('a budget of nothing lets a free question through, and no paid one', async () => {
  const { db } = redis;
  const ledger = createTurnLedger({ db, workerId: 'w' });
  await setBudget(db, 0, { mission: 'mission-a' });
  const ask = async (jobId: string, worstNanoUsd: number): Promise<string> =>
    (await ledger.begin(toIdentity(jobId), { turn: 0, worstNanoUsd, first: true })).kind;
  expect([await ask('free', 0), await ask('paid', 1)]).toEqual(['reserved', 'budget']);
});

function toIdentity(jobId: string): TaskIdentity {
  return {
    jobId,
    token: '',
    attempt: 0,
    digest: 'd',
    findingId: `finding_${jobId}`,
    session: 's',
    batch: null,
    missionId: 'mission-a',
    budgetNanoUsd: null,
    model: 'claude-haiku-5-5',
    costVendor: 'haiku',
  };
}
