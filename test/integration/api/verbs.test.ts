import { expect, it } from 'vitest';
import { NotFoundError, TaskFailedError, UsageError } from '../../../src/errors.ts';
import type { FailedJob } from '../../../src/tasks/repair/types.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();
const answer = createScriptedModel(() => 'tea');

/** Fails every task that says so, until it is said otherwise. */
function createFailing() {
  let isFailing = true;
  const model = createScriptedModel(({ messages }) => {
    if (isFailing && JSON.stringify(messages).includes('fail')) throw new TaskFailedError('refusal', 'it must not');
    return 'tea';
  });
  return { model, heal: () => (isFailing = false) };
}

/** Collects what an iterable yields, until `signal` of the caller fires. */
function collect<T>(from: AsyncIterable<T>): { got: T[]; ended: Promise<void> } {
  const got: T[] = [];
  const run = async (): Promise<void> => {
    for await (const item of from) got.push(item);
  };
  return { got, ended: run() };
}

it('cancels what is named and reports what it cannot', async () => {
  const fleet = await useFleet(redis);
  const [a, b] = [await fleet.tasks.add({ description: 'a' }), await fleet.tasks.add({ description: 'b' })];
  const report = await fleet.cancel({ ids: [a.id, 'nobody', b.id] });
  expect(report).toEqual({
    count: 2,
    ids: [a.id, b.id],
    refused: [{ id: 'nobody', message: expect.stringContaining('no such job'), isMissing: true }],
  });
  await fleet.startHaiku(answer);
  await expect(a.finding({ timeoutMs: 10_000 })).rejects.toThrow(/cancelled/);
  expect((await fleet.cancel({ ids: [a.id] })).refused).toMatchObject([{ id: a.id, isMissing: false }]);
});

it('cancels a batch, and the children of a mission', async () => {
  const fleet = await useFleet(redis);
  await fleet.tasks.addMany([{ description: 'a' }, { description: 'b' }], { batch: 'two' });
  expect(await fleet.cancel({ batch: 'two' })).toEqual({ count: 2, ids: [], refused: [] });
  await expect(fleet.cancel({ batch: 'none' })).rejects.toThrow(NotFoundError);
  await expect(fleet.cancel({})).rejects.toThrow(UsageError);
  await expect(fleet.cancel({ ids: 'task-1' as never })).rejects.toThrow(/expected ids as an array/);
  await expect(fleet.cancel({ job: 'task-1' } as never)).rejects.toThrow(/"job" is no option/);
});

it('lists jobs, batches and sessions', async () => {
  const fleet = await useFleet(redis, { haiku: createFailing().model });
  await fleet.session.set('pears');
  const { ids } = await fleet.tasks.addMany([{ description: 'count' }, { description: 'fail' }], {
    batch: 'fruit',
    budgetUsd: 2,
  });
  for await (const end of fleet.tasks.ends(ids)) expect(end.state).not.toBe('missing');
  await fleet.session.set('figs');
  const found = [];
  for await (const job of fleet.jobs({ batch: 'fruit', limit: 5 })) found.push(job);
  const [ended, failed] = found.toSorted((a, b) => a.id.localeCompare(b.id));
  expect(ended).toMatchObject({
    id: ids[0],
    state: 'done',
    session: 'pears',
    text: 'count',
    costNanoUsd: expect.any(Number),
  });
  expect(failed).toMatchObject({ id: ids[1], state: 'failed', reason: 'refusal', why: 'it must not' });
  expect(() => fleet.jobs({ states: 'done' } as never)).toThrow(/"states" is no option; .* did you mean state/);
  expect(() => fleet.jobs({ state: 'finished' as never })).toThrow(/did you mean done/);

  expect(await fleet.batches()).toMatchObject([
    {
      batch: 'fruit',
      session: 'pears',
      state: 'done',
      tasks: 2,
      completed: 1,
      failed: 1,
      open: 0,
      budgetUsd: '2.000000',
      pace: null,
    },
  ]);
  await fleet.halt('to leave one open');
  await fleet.tasks.addMany([{ description: 'count' }, { description: 'fail' }, { description: 'sort' }], {
    batch: 'fruit',
  });
  // A pace is told of at least three findings and ten seconds.
  const { redis: client, keys, clock } = fleet.inner.db;
  await client.zadd(keys.indexByBatch('fruit'), clock.now() - 60_000, 'finding_x', clock.now() - 30_000, 'finding_y');
  await client.hincrby(keys.batch('fruit'), 'tasks', 2);
  const [running] = await fleet.batches();
  expect(running).toMatchObject({ state: 'running', tasks: 5, completed: 3, open: 1 });
  expect(running?.pace?.perMinute).toBeGreaterThan(0);
  await fleet.cancel({ batch: 'fruit' });
  await fleet.resume();
  await waitUntil(async () => (await fleet.batches())[0]?.open === 0);
  expect((await fleet.batches())[0]).toMatchObject({ state: 'done', completed: 3, failed: 1, cancelled: 1 });

  const [figs, pears] = await fleet.sessions();
  expect(figs).toMatchObject({ name: 'figs', isCurrent: true, days: 0, tasks: 0 });
  expect(pears).toMatchObject({ name: 'pears', isCurrent: false, days: 1, tasks: 1, findings: 1 });
  expect(pears?.costNanoUsd).toBe(found.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0));
});

it('lists what failed with its repair, retries it, also changed, and streams each failure once', async () => {
  const failing = createFailing();
  const fleet = await useFleet(redis, { haiku: failing.model });
  const early = await fleet.tasks.add({ description: 'fail early' });
  await expect(early.finding()).rejects.toThrow(/refusal/);

  const ending = new AbortController();
  const all = collect<FailedJob>(fleet.failures({ existing: true, signal: ending.signal }));
  const later = collect<FailedJob>(fleet.failures({ signal: ending.signal }));
  const { ids } = await fleet.tasks.addMany([{ description: 'fail 1' }, { description: 'fine' }], { batch: 'late' });
  await waitUntil(() => later.got.length === 1 && all.got.length === 2);
  expect(later.got).toMatchObject([{ id: ids[0], reason: 'refusal', text: 'it must not', batch: 'late' }]);
  expect(all.got.map(({ id }) => id)).toEqual([early.id, ids[0]]);

  expect(await fleet.failed()).toMatchObject([
    { kind: 'task', reason: 'refusal', count: 2, repair: expect.stringContaining('fleet retry') },
  ]);
  expect(await fleet.failed({ batch: 'late' })).toMatchObject([{ count: 1 }]);
  await expect(fleet.failed({ batch: 'none' })).rejects.toThrow(NotFoundError);

  expect(await fleet.retry({ batch: 'late' }, { dryRun: true })).toEqual({
    retried: [ids[0]],
    refused: [],
    dryRun: true,
  });
  await fleet.retry({ batch: 'late' });
  await waitUntil(() => later.got.length === 2);
  expect(later.got[1]).toMatchObject({ id: ids[0] });

  failing.heal();
  const report = await fleet.retry({ ids: [early.id, ids[0] ?? '', 'nobody'] }, { append: 'Be brief.' });
  expect(report).toMatchObject({ retried: [early.id, ids[0]], refused: [{ id: 'nobody' }], dryRun: false });
  expect(await early.result({ timeoutMs: 10_000 })).toBe('tea');
  expect((await fleet.queue.getJob(early.id))?.data.description).toBe('fail early\n\nBe brief.');
  await expect(fleet.retry({})).rejects.toThrow(/expected job ids, a batch or a reason/);
  await expect(fleet.retry({ ids: [early.id], batch: 'late' })).rejects.toThrow(/not both/);
  await expect(fleet.retry({ ids: ['a', 'b'] }, { data: {} })).rejects.toThrow(/exactly one job id/);

  ending.abort();
  await Promise.all([all.ended, later.ended]);
  expect(later.got).toHaveLength(2);
});

it('reads and sets budgets in both spellings, and releases what a budget had parked', async () => {
  const fleet = await useFleet(redis);
  expect(await fleet.budget.read()).toMatchObject({ limitUsd: '5.000000', limitNanoUsd: 5_000_000_000, released: 0 });
  expect(await fleet.budget.set('2.50')).toMatchObject({
    limitUsd: '2.500000',
    leftUsd: '2.500000',
    settledNanoUsd: 0,
  });
  for (const wrong of ['two', '-1', Number.NaN]) {
    await expect(fleet.budget.set(wrong)).rejects.toThrow(/expected decimal dollars, 0 or more/);
  }
  await expect(fleet.budget.set('1e-12')).rejects.toThrow('expected at least 0.000000001 dollars, or 0, got 1e-12');
  for (const dryRun of [true, false]) {
    const poor = fleet.tasks.addMany([{ description: 'a' }], { batch: 'none', budgetUsd: 1e-12, dryRun });
    await expect(poor).rejects.toThrow('expected at least 0.000000001 dollars');
  }
  const { id: plain } = await fleet.tasks.add({ description: 'without a budget' });
  await expect(fleet.budget.set(1, { task: plain })).rejects.toThrow(`fleet retry ${plain} --budget USD`);
  await expect(fleet.budget.read({ batch: 'none' })).rejects.toThrow(NotFoundError);
  await expect(fleet.budget.read({ task: 'a', batch: 'b' })).rejects.toThrow(UsageError);

  await fleet.startHaiku(answer);
  const { ids } = await fleet.tasks.addMany([{ description: 'a' }], { batch: 'poor', budgetUsd: '0.000001' });
  await waitUntil(async () => (await fleet.batch('poor')).parked === 1);
  expect(await fleet.budget.set(1, { batch: 'poor' })).toMatchObject({ limitUsd: '1.000000', released: 1 });
  const job = await fleet.tasks.get(ids[0] ?? '');
  expect(await job?.result({ timeoutMs: 10_000 })).toBe('tea');
});

it('counts a job that its worker is still parking among the released', async () => {
  const fleet = await useFleet(redis);
  const { ids } = await fleet.tasks.addMany([{ description: 'a' }], { batch: 'early', budgetUsd: '0.000001' });
  const mark = JSON.stringify({ scope: 'batch', name: 'early', queue: 'tasks' });
  await redis.redis.hset(fleet.inner.db.keys.parked, ids[0] ?? '', mark); // the worker delays the job after this
  expect(await fleet.budget.set(1, { batch: 'early' })).toMatchObject({ released: 1 });
});

it('halts with a reason, once, and lifts the halt', async () => {
  const fleet = await useFleet(redis);
  expect(await fleet.halt('prices look wrong')).toMatchObject({
    halted: true,
    halt: { reason: 'person', detail: 'prices look wrong' },
  });
  expect(await fleet.halt('again')).toMatchObject({ halted: false, halt: { detail: 'prices look wrong' } });
  await expect(fleet.halt(' ')).rejects.toThrow(UsageError);
  expect(await fleet.resume()).toMatchObject({ detail: 'prices look wrong' });
  await expect(fleet.resume()).rejects.toThrow(/nothing is halted/);
});

it('reads and begins sessions', async () => {
  const fleet = await useFleet(redis);
  expect(await fleet.session.set('night')).toMatchObject({ name: 'night', findings: 0 });
  expect((await fleet.session.read()).name).toBe('night');
  await expect(fleet.session.set('a b')).rejects.toThrow(UsageError);
});

it('loads, lists, reads and removes contexts', async () => {
  const fleet = await useFleet(redis);
  const info = await fleet.contexts.load('house', 'one\ntwo');
  expect(info).toMatchObject({ name: 'house', bytes: 7, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(await fleet.contexts.list()).toEqual([info]);
  expect(await fleet.contexts.get('house')).toEqual({ ...info, text: 'one\ntwo' });
  await fleet.contexts.remove('house');
  expect(await fleet.contexts.get('house')).toBeNull();
  await expect(fleet.contexts.remove('house')).rejects.toThrow(NotFoundError);
});

it.each([
  ['findings.list', (fleet) => fleet.findings.list({ sesion: 'a' } as never)],
  ['findings.find', (fleet) => fleet.findings.find('a', { limits: 1 } as never)],
  ['findings.search', (fleet) => fleet.findings.search('a', { limits: 1 } as never)],
  ['findings.each', async (fleet) => fleet.findings.each({ sesion: 'a' } as never)],
  ['findings.follow', async (fleet) => fleet.findings.follow({ sesion: 'a' } as never)],
  ['missions.list', (fleet) => fleet.missions.list({ limits: 1 } as never)],
  ['missions.add', (fleet) => fleet.missions.add({ goal: 'a' }, { id: 'a' } as never)],
  ['patches.list', (fleet) => fleet.patches.list({ batches: 'a' } as never)],
  ['patches.apply', (fleet) => fleet.patches.apply({ id: ['a'] } as never)],
  ['patches.discard', (fleet) => fleet.patches.discard({ id: ['a'] } as never)],
  ['patches.worktrees', (fleet) => fleet.patches.worktrees({ prunes: true } as never)],
  ['ask', (fleet) => fleet.ask('What?', { filters: {} } as never)],
  ['failed', (fleet) => fleet.failed({ batches: 'a' } as never)],
  ['failures', async (fleet) => fleet.failures({ batches: 'a' } as never)],
  ['retry', (fleet) => fleet.retry({ ids: ['a'] }, { dry: true } as never)],
  ['budget', (fleet) => fleet.budget.set(1, { batches: 'a' } as never)],
  ['tasks.add', (fleet) => fleet.tasks.add({ description: 'a' }, { id: 'a' } as never)],
] as [string, (fleet: Awaited<ReturnType<typeof useFleet>>) => Promise<unknown>][])(
  '%s refuses an option that it does not have',
  async (name, call) => {
    const fleet = await useFleet(redis);
    await expect(call(fleet)).rejects.toThrow(new RegExp(`^${name}: "\\w+" is no option`));
  },
);

it('ends a wait by its signal with the reason of the signal, and the task goes on', async () => {
  const fleet = await useFleet(redis);
  const job = await fleet.tasks.add({ description: 'a' });
  const reason = new Error('enough');
  const before = AbortSignal.abort(reason);
  await expect(job.finding({ signal: before })).rejects.toBe(reason);

  const ending = new AbortController();
  const waits = [
    job.finding({ signal: ending.signal }),
    job.result({ signal: ending.signal }),
    (async () => {
      for await (const _end of fleet.tasks.ends([job.id], { signal: ending.signal }));
    })(),
  ];
  const settled = Promise.allSettled(waits);
  ending.abort(reason);
  expect(await settled).toEqual(waits.map(() => ({ status: 'rejected', reason })));
  await expect(fleet.tasks.addMany([{ description: 'b' }], { signal: before })).rejects.toBe(reason);
  await fleet.startHaiku(answer);
  expect(await job.result({ timeoutMs: 10_000, signal: new AbortController().signal })).toBe('tea');
});

it('is closed at the end of the block that it was opened in', async () => {
  const fleet = await useFleet(redis);
  const job = await fleet.tasks.add({ description: 'a' });
  const waiting = job.finding();
  const seen = expect(waiting).rejects.toThrow(/connection to the fleet was closed/);
  await fleet[Symbol.asyncDispose]();
  await seen;
  await fleet.close();
});

it('refuses what is of a wrong type, in every verb', async () => {
  const fleet = await useFleet(redis);
  const { tasks, findings, missions, patches, contexts, budget, outside } = fleet;
  const first = <T>(from: AsyncIterable<T>): Promise<unknown> => from[Symbol.asyncIterator]().next();
  type Call = (value: never) => Promise<unknown>;
  const byText: Call[] = [tasks.get, findings.get, findings.find, missions.get, missions.plan, missions.run];
  byText.push(missions.park, missions.resume, patches.get, patches.diff, contexts.get, contexts.remove);
  byText.push(fleet.shard, fleet.batch, fleet.session.set, fleet.halt);
  byText.push((name) => contexts.load(name, 'x'));
  byText.push((text) => contexts.load('x', text));
  byText.push((text) => findings.search(text, { limit: 1 }));
  byText.push((text) => missions.answer('m', text));
  byText.push((text) => budget.set(text));
  const byOptions: Call[] = [fleet.cancel, fleet.retry, patches.apply, patches.discard];
  byOptions.push(outside.claim, outside.renew, outside.report, outside.release, outside.fail);
  const byIds: Call[] = [(ids) => first(tasks.ends(ids))];

  const wrong: [calls: Call[], values: unknown[]][] = [
    [byText, [undefined, null, [], {}, () => 5, Symbol('five')]],
    [byOptions, [undefined, null, 'x', []]],
    [byIds, [5, 'x', [5]]],
  ];
  for (const [calls, values] of wrong) {
    for (const call of calls) {
      for (const value of values) await expect(call(value as never), String(call)).rejects.toThrow(UsageError);
    }
  }
  await expect(budget.set([5] as never)).rejects.toThrow('budget.set: limitUsd: expected a text, got an array');
  await expect(budget.read({ batch: 5 } as never)).rejects.toThrow('budget: batch: expected a text, got 5');
  expect(await contexts.list()).toEqual([]);
});

it('names an option of a wrong type', async () => {
  const fleet = await useFleet(redis);
  await expect(fleet.findings.list({ signal: 5 } as never)).rejects.toThrow(
    'findings.list: signal: expected an AbortSignal, got 5',
  );
  await expect(fleet.findings.list({ limit: -1 })).rejects.toThrow('limit: expected a number from 0, got -1');
  await expect(fleet.failed({ batch: ['a'] } as never)).rejects.toThrow('failed: batch: expected a text, got an array');
  expect(() => fleet.failures({ signal: {} } as never)).toThrow(
    'failures: signal: expected an AbortSignal, got object',
  );
  await expect(fleet.missions.run('m', { drop: 5 } as never)).rejects.toThrow(
    'missions.run: drop: expected an array of task numbers, got 5',
  );
  const { id } = await fleet.tasks.add({ description: 'x' });
  const task = await fleet.tasks.get(id);
  await expect(task?.result({ signal: 'x' } as never)).rejects.toThrow('signal: expected an AbortSignal, got string');
});
