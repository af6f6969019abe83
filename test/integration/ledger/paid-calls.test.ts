import { describe, expect, it } from 'vitest';
import type { Usage } from '../../../queues/usage.ts';
import {
  BudgetHeldError,
  BudgetReachedError,
  CancelledError,
  HaltError,
  LockLostError,
  ModelCoolingError,
  ProviderUnavailableError,
  ShutdownError,
  TaskFailedError,
  type Billed,
} from '../../../src/errors.ts';
import { PaidCalls, withPayer, type CallTerms, type PaidCallsParts } from '../../../src/ledger/calls/paid-calls.ts';
import type { PaidReply } from '../../../src/ledger/calls/reserved-call.ts';
import { readLedger } from '../../../src/ledger/report/report.ts';
import { setBudget } from '../../../src/ledger/budget.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { Booking, JobIdentity, TaskIdentity, TurnLedger } from '../../../src/ledger/types.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';
import { costNanoUsd, worstCaseNanoUsd } from '../../../src/pricing/cost.ts';
import { readBooks } from '../../support/redis/books.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const catalog = createCatalog([]);

interface Reply {
  text: string;
  usage: Usage;
  geo?: string;
}

const redis = useRedis();
const JOB = 'job-1';
const FINDING = 'finding_job-1';
const NOTE = { log: 'a turn', progress: null };
const USAGE = { input: 100, cache_write: 0, cache_read: 0, output: 200 };
const entry = catalog.find('claude-haiku-5-5', new Date());
const COST = 100 * entry.prices.input + 200 * entry.prices.output;
const WORST = worstCaseNanoUsd(entry, { inputTokensBound: 1_000, maxTokens: 500 });
/** What a stream had reported when it broke. */
const PART = { input: 100, cache_write: 0, cache_read: 0, output: 20 };
const PART_COST = costNanoUsd(entry, PART);

const yes = async (): Promise<Reply> => ({ text: 'yes', usage: USAGE });

/** The paid calls of one run of the job, in a process that has just started. */
function openCalls(
  parts: Partial<Omit<PaidCallsParts, 'identity'>> & { identity?: Partial<JobIdentity> } = {},
): PaidCalls<Reply> {
  const identity = { ...toIdentity(), ...parts.identity };
  return new PaidCalls({
    ledger: openLedger(),
    signal: new AbortController().signal,
    isDraining: () => false,
    ...parts,
    identity,
  });
}

function toIdentity(): JobIdentity {
  return {
    jobId: JOB,
    token: '',
    attempt: 0,
    digest: 'as-asked',
    findingId: FINDING,
    session: 'today',
    batch: null,
    missionId: 'mission-a',
    budgetNanoUsd: null,
  };
}

/** @param at the time of each call; default now */
function openLedger(at?: number): PaidCallsParts['ledger'] {
  const { db } = redis;
  const clock = at === undefined ? db.clock : { ...db.clock, now: () => at };
  return createTurnLedger({ db: { ...db, clock }, workerId: 'w' });
}

function terms(more: Partial<CallTerms> = {}): CallTerms {
  const bound = { inputTokensBound: 1_000, maxTokens: 500 };
  return { turn: 0, payer: { entry, free: false }, bound, ...more };
}

async function makeReply(calls: PaidCalls<Reply>, more: Partial<CallTerms> = {}): Promise<PaidReply<Reply>> {
  const paid = await calls.make(terms(more), yes);
  if (paid.kind === 'done') throw new Error('the job is done');
  return paid;
}

function unavailable(billed?: Billed): ProviderUnavailableError {
  return Object.assign(new ProviderUnavailableError(entry.id, true, 'away'), billed === undefined ? {} : { billed });
}

function defer<Value>(): { promise: Promise<Value>; resolve(value: Value): void; reject(error: Error): void } {
  let settle: { resolve(value: Value): void; reject(error: Error): void } | undefined;
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject };
  });
  if (settle === undefined) throw new Error('a promise runs its function at once');
  return { promise, ...settle };
}

/** Locks the job for this run. */
async function holdLock(): Promise<{ token: string; lose: () => Promise<unknown> }> {
  const key = redis.keys.jobLock('tasks', JOB);
  await redis.redis.set(key, 'mine');
  return { token: 'mine', lose: () => redis.redis.set(key, 'of another worker') };
}

describe('a paid call', () => {
  it('reserves its worst case while it is under way, and is booked at its cost once its reply is stored', async () => {
    const calls = openCalls();
    const paid = await calls.make(terms(), async () => {
      expect(await readBooks(redis)).toMatchObject({ reserved: WORST, settled: 0 });
      return yes();
    });
    expect(paid).toMatchObject({ reply: { text: 'yes' }, booking: { nanoUsd: COST } });
    expect(await readBooks(redis)).toMatchObject({ reserved: WORST, settled: 0 });
    await calls.store(paid as PaidReply<Reply>, NOTE);
    expect(await readBooks(redis)).toMatchObject({ reserved: 0, settled: COST, ledgerCalls: 1, openReservations: 0 });
    expect(calls.totals).toEqual({ nanoUsd: COST, usage: USAGE, calls: 1 });
  });

  it('is made once however often its job starts again', async () => {
    let made = 0;
    for (let run = 0; run < 3; run += 1) {
      const calls = openCalls();
      for (const turn of [0, 'plan', 0]) {
        const paid = await calls.make(terms({ turn }), async () => {
          made += 1;
          return yes();
        });
        expect(paid).toMatchObject({ kind: 'reply', reply: { text: 'yes' } });
        if (paid.kind === 'reply') await calls.store(paid, NOTE);
      }
      expect(calls.totals).toMatchObject({ nanoUsd: 2 * COST, calls: 2 });
    }
    expect(made).toBe(2);
    expect(await readBooks(redis)).toMatchObject({ settled: 2 * COST, ledgerCalls: 2 });
  });

  it('is uncertain where its process died before the reply was stored', async () => {
    await makeReply(openCalls());
    const calls = openCalls();
    await calls.store(await makeReply(calls), NOTE);
    expect(await readBooks(redis)).toMatchObject({ settled: COST, reserved: 0, uncertain: WORST });
  });

  it('is uncertain too where the next run of its job begins in the same millisecond', async () => {
    const at = Date.now();
    await makeReply(openCalls({ ledger: openLedger(at) }));
    const calls = openCalls({ ledger: openLedger(at) });
    await calls.store(await makeReply(calls), NOTE);
    expect(await readBooks(redis)).toMatchObject({ settled: COST, reserved: 0, uncertain: WORST });
  });

  it('is counted by the provider, once, where its bytes could pass the price step', async () => {
    let counts = 0;
    const countInput = async (): Promise<number> => {
      counts += 1;
      return 60_000;
    };
    const bound = { inputTokensBound: 70_000, inputBytesBound: 105_000, maxTokens: 500, countInput };
    const first = openCalls();
    await first.store(await makeReply(first), NOTE);
    const calls = openCalls();
    await calls.make(terms({ turn: 1, bound }), async () => {
      const worst = worstCaseNanoUsd(entry, { inputTokensBound: 63_000, maxTokens: 500 });
      expect(await readBooks(redis)).toMatchObject({ reserved: worst });
      return yes();
    });
    expect(counts).toBe(1); // though the ledger's first answer brought what the earlier run had stored
  });

  it('is not made where its run ended while the provider counted', async () => {
    const cancelled = new CancelledError('by a person');
    const run = new AbortController();
    const countInput = async (): Promise<number> => {
      run.abort(cancelled);
      return 1;
    };
    const bound = { inputTokensBound: 1, inputBytesBound: 105_000, maxTokens: 500, countInput };
    const made = openCalls({ signal: run.signal }).make(terms({ bound }), neverSent);
    await expect(made).rejects.toBe(cancelled);
    expect(await readBooks(redis)).toMatchObject({ reserved: 0, openReservations: 0 });
  });

  it('answers with the finding where an earlier run has recorded it', async () => {
    await redis.redis.set(redis.keys.finding(FINDING), JSON.stringify({ job_id: JOB }));
    const finding = JSON.stringify({ job_id: JOB });
    expect(await openCalls().make(terms(), neverSent)).toEqual({ kind: 'done', finding });
  });

  it('is booked at nothing where the provider bills nothing, its list price apart', async () => {
    const calls = openCalls();
    const paid = await makeReply(calls, { payer: { entry, free: true } });
    expect(paid.booking).toMatchObject({ nanoUsd: 0, listNanoUsd: COST });
    expect(await readBooks(redis)).toMatchObject({ reserved: 0 });
    await calls.store(paid, NOTE);
    expect(await readBooks(redis)).toMatchObject({ settled: 0, ledgerCalls: 1 });
  });
});

describe('a call that fails', () => {
  it.each<[string, Error, { settled: number; uncertain: number }]>([
    ['nothing, where the error says it was not billed', unavailable('no'), { settled: 0, uncertain: 0 }],
    ['its usage, where the error reports one', unavailable(USAGE), { settled: COST, uncertain: 0 }],
    [
      'a tenth more, where the error says that it was served in the USA',
      unavailable({ ...USAGE, geo: 'us' }),
      { settled: costNanoUsd(entry, USAGE, 'us'), uncertain: 0 },
    ],
    [
      'what its broken stream reported, and the rest as uncertain',
      unavailable({ reported: PART }),
      { settled: PART_COST, uncertain: WORST - PART_COST },
    ],
    [
      'its worst case as uncertain, where the error does not know',
      unavailable('unknown'),
      { settled: 0, uncertain: WORST },
    ],
    ['its worst case as uncertain, where the error says nothing', unavailable(), { settled: 0, uncertain: WORST }],
    [
      'its worst case as uncertain, where it is an error of our own',
      new TypeError('bug'),
      { settled: 0, uncertain: WORST },
    ],
  ])('costs %s', async (_, error, booked) => {
    const failure = openCalls().make(terms(), () => Promise.reject(error));
    await expect(failure).rejects.toBe(error);
    expect(await readBooks(redis)).toMatchObject({ ...booked, reserved: 0, openReservations: 0 });
  });

  it('books a broken stream once, in its job, the ledger and the public total', async () => {
    const calls = openCalls();
    await expect(calls.make(terms(), () => Promise.reject(unavailable({ reported: PART })))).rejects.toThrow('away');
    expect(calls.totals).toEqual({ nanoUsd: PART_COST, usage: PART, calls: 1 });
    expect(await readBooks(redis)).toMatchObject({
      ledgerCalls: 1,
      ledgerNano: PART_COST,
      costHaiku: PART_COST,
      uncertainCalls: 1,
    });
    const next = openCalls();
    await next.store(await makeReply(next), NOTE); // the next run finds no open reservation, and makes the call
    expect(next.totals).toMatchObject({ nanoUsd: PART_COST + COST, calls: 2 });
    expect(await readBooks(redis)).toMatchObject({ settled: PART_COST + COST, uncertain: WORST - PART_COST });
  });

  it('leaves the outage of its model alone where the stream broke', async () => {
    await redis.redis.set(redis.keys.outage(entry.id), 3);
    await expect(openCalls().make(terms(), () => Promise.reject(unavailable({ reported: PART })))).rejects.toThrow();
    expect(await redis.redis.get(redis.keys.outage(entry.id))).toBe('3');
  });

  it.each([['unknown' as const], [{ reported: PART }]])(
    'costs nothing where the provider bills nothing: %o',
    async (billed) => {
      const payer = { entry, free: true };
      const failure = openCalls().make(terms({ payer }), () => Promise.reject(unavailable(billed)));
      await expect(failure).rejects.toBeInstanceOf(ProviderUnavailableError);
      expect(await readBooks(redis)).toMatchObject({ settled: 0, uncertain: 0, uncertainCalls: 0 });
    },
  );

  it('leaves no reply: the next run makes the call', async () => {
    await expect(openCalls().make(terms(), () => Promise.reject(unavailable(USAGE)))).rejects.toThrow('away');
    const calls = openCalls();
    const { booking } = await makeReply(calls);
    expect(booking).not.toBeNull();
    expect(calls.totals).toMatchObject({ nanoUsd: 2 * COST, calls: 2 });
  });
});

describe('a call that became uncertain while it was out', () => {
  /** A call whose process seems dead: the next run of its job has booked it as uncertain. */
  async function presumeLost(
    reply: Promise<Reply>,
  ): Promise<{ calls: PaidCalls<Reply>; paid: Promise<PaidReply<Reply>> }> {
    const calls = openCalls();
    const paid = calls.make(terms(), () => reply) as Promise<PaidReply<Reply>>;
    await waitUntil(async () => (await readBooks(redis)).openReservations === 1, { what: 'the reservation' });
    await openCalls().readStored(0, { entry, free: false });
    expect(await readBooks(redis)).toMatchObject({ reserved: 0, uncertain: WORST, uncertainCalls: 1 });
    return { calls, paid };
  }

  it('is booked at its cost where its reply comes after all', async () => {
    const reply = defer<Reply>();
    const { calls, paid } = await presumeLost(reply.promise);
    reply.resolve(await yes());
    await calls.store(await paid, NOTE);
    expect(await readBooks(redis)).toMatchObject({ settled: COST, uncertain: 0, uncertainCalls: 0, ledgerCalls: 1 });
  });

  it('is booked at what its stream reported where that breaks, and keeps only the rest uncertain', async () => {
    const reply = defer<Reply>();
    const { paid } = await presumeLost(reply.promise);
    reply.reject(unavailable({ reported: PART }));
    await expect(paid).rejects.toThrow('away');
    expect(await readBooks(redis)).toMatchObject({
      settled: PART_COST,
      uncertain: WORST - PART_COST,
      uncertainCalls: 1,
      ledgerCalls: 1,
    });
  });
});

describe('a broken stream', () => {
  const place = { epoch: '0', turn: 0 };
  const totals = { nanoUsd: 0, usage: USAGE, calls: 1 };

  async function breakStream(): Promise<{ task: TaskIdentity; part: Booking; ledger: TurnLedger }> {
    const ledger = openLedger();
    const task = withPayer(toIdentity(), { entry, free: false });
    const answer = await ledger.begin(task, { turn: 0, worstNanoUsd: WORST, first: true });
    if (answer.kind !== 'reserved') throw new Error(`expected a reservation, got ${answer.kind}`);
    const part = { reservation: answer.reservation, nanoUsd: PART_COST, usage: PART, isBroken: true as const };
    await ledger.settle(task, place, part, null, totals, NOTE);
    return { task, part, ledger };
  }

  it('is booked once where the command is sent again', async () => {
    const { task, part, ledger } = await breakStream();
    const before = await readBooks(redis);
    expect(before).toMatchObject({ settled: PART_COST, uncertain: WORST - PART_COST, ledgerCalls: 1 });
    await ledger.settle(task, place, part, null, totals, NOTE);
    expect(await readBooks(redis)).toEqual(before);
  });

  it('is booked at its whole cost, as one call, where the whole reply comes late', async () => {
    const { task, part, ledger } = await breakStream();
    const whole = { reservation: part.reservation, nanoUsd: COST, usage: USAGE };
    await ledger.settle(task, place, whole, { text: 'yes' }, totals, NOTE);
    expect(await readBooks(redis)).toMatchObject({
      settled: COST,
      uncertain: 0,
      uncertainCalls: 0,
      ledgerCalls: 1,
      ledgerNano: COST,
      costHaiku: COST,
    });
    const [row] = await readLedger(redis.db);
    expect(row?.usage).toEqual(USAGE);
  });

  it('leaves nothing uncertain where it reported all that was reserved', async () => {
    const ledger = openLedger();
    const task = withPayer(toIdentity(), { entry, free: false });
    const answer = await ledger.begin(task, { turn: 0, worstNanoUsd: PART_COST, first: true });
    if (answer.kind !== 'reserved') throw new Error(`expected a reservation, got ${answer.kind}`);
    const part = { reservation: answer.reservation, nanoUsd: PART_COST, usage: PART, isBroken: true as const };
    await ledger.settle(task, place, part, null, totals, NOTE);
    expect(await readBooks(redis)).toMatchObject({ settled: PART_COST, reserved: 0, uncertain: 0, uncertainCalls: 0 });
    expect(await redis.redis.hlen(redis.keys.uncertain)).toBe(0);
  });
});

it('books a call that was served in the USA at a tenth more', async () => {
  const calls = openCalls();
  const paid = await calls.make(terms(), async () => ({ text: 'yes', usage: USAGE, geo: 'us' }));
  expect(paid).toMatchObject({ booking: { nanoUsd: costNanoUsd(entry, USAGE, 'us'), usage: USAGE } });
  await calls.store(paid as PaidReply<Reply>, NOTE);
  expect(await readBooks(redis)).toMatchObject({ settled: costNanoUsd(entry, USAGE, 'us'), ledgerCalls: 1 });
});

describe('a refused call is not sent', () => {
  const refusals: [string, () => Promise<unknown>, object][] = [
    [
      'while the fleet is halted',
      () => redis.redis.set(redis.keys.haltReason, '{"reason":"person"}'),
      { name: HaltError.name },
    ],
    [
      'after its job was cancelled',
      () => redis.redis.zadd(redis.keys.cancelled, 1, JOB),
      { name: CancelledError.name },
    ],
    [
      'while its model cools down',
      () => redis.redis.set(redis.keys.cooldown(entry.id), 1, 'PX', 60_000),
      { name: ModelCoolingError.name, model: entry.id },
    ],
    [
      'where it could pass the budget',
      () => setBudget(redis.db, 0, { mission: 'mission-a' }),
      { name: BudgetReachedError.name, scope: 'mission', scopeName: 'mission-a', limitNanoUsd: 0 },
    ],
    [
      'after a person parked its mission',
      () => redis.redis.hset(redis.keys.spend('mission:mission-a'), 'parked', 'now'),
      { name: BudgetReachedError.name, message: 'mission mission-a is parked; fleet resume mission-a' },
    ],
    [
      'where its finding belongs to something else',
      () => redis.redis.set(redis.keys.finding(FINDING), JSON.stringify({ job_id: 'another' })),
      { name: TaskFailedError.name, reason: 'finding-taken' },
    ],
    [
      'where another worker has its job',
      () => redis.redis.set(redis.keys.jobLock('tasks', JOB), 'of another worker'),
      { name: LockLostError.name },
    ],
  ];

  it.each(refusals)('%s', async (_, refuse, expected) => {
    const { token } = await holdLock();
    await refuse();
    await expect(openCalls({ identity: { token } }).make(terms(), neverSent)).rejects.toMatchObject(expected);
    expect(await readBooks(redis)).toMatchObject({ reserved: 0, openReservations: 0 });
  });

  it('while calls under way hold the budget', async () => {
    await setBudget(redis.db, (1.5 * WORST) / 1e9, { mission: 'mission-a' });
    const other = await makeReply(openCalls({ identity: { jobId: 'job-2', findingId: 'finding_job-2' } }));
    expect(other.booking).not.toBeNull();
    await expect(openCalls().make(terms(), neverSent)).rejects.toBeInstanceOf(BudgetHeldError);
  });

  it('in a run that must end at once, or whose process shuts down', async () => {
    const cancelled = new CancelledError('by a person');
    const aborted = openCalls({ signal: AbortSignal.abort(cancelled) });
    await expect(aborted.make(terms(), neverSent)).rejects.toBe(cancelled);
    await expect(openCalls({ isDraining: () => true }).make(terms(), neverSent)).rejects.toBeInstanceOf(ShutdownError);
    expect(await redis.redis.exists(redis.keys.turns(JOB))).toBe(0);
  });
});

describe('a job that another worker has taken', () => {
  it('finds the reply of the run that lost it, paid once', async () => {
    const { token, lose } = await holdLock();
    const calls = openCalls({ identity: { token } });
    const paid = await makeReply(calls);
    await lose();
    await expect(calls.store(paid, NOTE)).rejects.toBeInstanceOf(LockLostError);
    const next = openCalls({ identity: { token: 'of another worker' } });
    expect(await makeReply(next)).toMatchObject({ reply: { text: 'yes' }, booking: null });
    expect(await readBooks(redis)).toMatchObject({ settled: COST, ledgerCalls: 1 });
  });

  it('finds the reply that was to end it', async () => {
    const { token, lose } = await holdLock();
    const calls = openCalls({ identity: { token } });
    const paid = await makeReply(calls);
    await lose();
    const recorded = calls.record(paid, async () => 'lock-lost', { kept: 'with its basis' });
    await expect(recorded).rejects.toBeInstanceOf(LockLostError);
    const next = openCalls({ identity: { token: 'of another worker' } });
    expect(await next.readStored(0, { entry, free: false })).toEqual({
      kind: 'reply',
      json: '{"kept":"with its basis"}',
    });
  });
});

describe('the end of a job', () => {
  it('fails where its finding was taken meanwhile', async () => {
    const calls = openCalls();
    const recorded = calls.record(await makeReply(calls), async () => 'taken');
    await expect(recorded).rejects.toMatchObject({ name: TaskFailedError.name, reason: 'finding-taken' });
  });

  it.each(['recorded', 'already'] as const)('is reached where the script answers %s', async (answer) => {
    const calls = openCalls();
    await expect(calls.record(await makeReply(calls), async () => answer)).resolves.toBeUndefined();
  });
});

describe('a call that waits for a place first', () => {
  it('is reserved after a look at what earlier runs stored, and released where it is not sent', async () => {
    const calls = openCalls();
    const payer = { entry, free: false };
    expect(await calls.readStored(0, payer)).toEqual({ kind: 'new' });
    expect(await readBooks(redis)).toMatchObject({ reserved: 0, openReservations: 0 });
    const unsent = await calls.reserve(terms());
    expect(await readBooks(redis)).toMatchObject({ reserved: WORST });
    await unsent.release();
    expect(await readBooks(redis)).toMatchObject({ reserved: 0, uncertain: 0, openReservations: 0 });
    const sent = await calls.reserve(terms());
    await calls.store(await sent.send(yes), NOTE);
    expect(await openCalls().readStored(0, payer)).toMatchObject({ kind: 'reply' });
  });
});

describe('the results of tools', () => {
  it('are stored with the next reservation', async () => {
    const calls = openCalls();
    await calls.store(await makeReply(calls), NOTE);
    calls.addToolResults(0, '["read"]');
    await makeReply(calls, { turn: 1 });
    const next = openCalls();
    await makeReply(next);
    expect(next.storedToolResults(0)).toBe('["read"]');
  });

  it('are stored before the job of a process that shuts down is handed back', async () => {
    let isDraining = false;
    const calls = openCalls({ isDraining: () => isDraining });
    await calls.store(await makeReply(calls), NOTE);
    expect(calls.storedToolResults(0)).toBeUndefined();
    calls.addToolResults(0, '["read"]');
    isDraining = true;
    await expect(calls.make(terms({ turn: 1 }), neverSent)).rejects.toBeInstanceOf(ShutdownError);
    const next = openCalls();
    await makeReply(next);
    expect(next.storedToolResults(0)).toBe('["read"]');
  });
});

async function neverSent(): Promise<Reply> {
  throw new Error('the call was sent');
}
