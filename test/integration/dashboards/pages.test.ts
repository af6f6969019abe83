import { expect, it } from 'vitest';
import { readVersion } from '../../../src/config/package-folder.ts';
import { startDashboard, TEST_PASSWORD } from '../../support/fleet/dashboard.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { createScriptedArchive, idsShown } from '../../support/models/scripted-archive.ts';
import { createScriptedModel } from '../../support/models/scripted-model.ts';
import { readBooks } from '../../support/redis/books.ts';
import { storeFindings } from '../../support/redis/store-findings.ts';
import { loseCall } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';
import { waitUntil } from '../../support/wait.ts';

const redis = useRedis();

/** A dashboard whose answers are read as JSON, with their status. */
async function open(env: Record<string, string> = {}) {
  const dashboard = await startDashboard(redis, env);
  const toBody = async (response: Response): Promise<Record<string, unknown>> => ({
    ...((await response.json()) as Record<string, unknown>),
    status: response.status,
  });
  const read = async (path: string) => toBody(await dashboard.ask(path));
  const change = async (path: string, body: unknown, headers = {}) =>
    toBody(await dashboard.send('POST', path, body, headers));
  return { ...dashboard, read, change };
}

it('tells costs by day and dimension, and settles uncertain calls within the guards', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'two') });
  await fleet.queue.add('task', { description: 'Count.', batch: 'fruit \u202E' }, { jobId: 'count-1' });
  await fleet.until('count-1', 'completed');
  await fleet.queue.add('task', { description: 'Say it' }, { jobId: 'parked-1', delay: 3_600_000 });
  await redis.redis.hset(redis.keys.parked, 'parked-1', '{"scope":"batch","name":"nightly","queue":"tasks"}');
  const { reservation } = await loseCall(redis, { worstNanoUsd: 7_000_000, batch: 'nightly', jobId: 'parked-1' });
  const { reservation: other } = await loseCall(redis, { worstNanoUsd: 2_000_000, jobId: 'job-2' });
  const { read, change } = await open();

  const byDay = await read('/api/costs');
  const expected = await fleet.costs({ by: 'day' });
  expect(byDay).toMatchObject({
    status: 200,
    by: 'day',
    rows: [
      { name: expected.rows[0]?.name, calls: 1, costNano: expected.total.costNano, savedPercent: expect.any(Number) },
    ],
    total: { tasks: 1, costNano: expected.total.costNano },
    uncertain: { count: 2, nanoUsd: 9_000_000 },
    settlements: [],
  });
  const byBatch = await read('/api/costs?by=batch&model=claude-haiku-5-5');
  expect(byBatch['rows']).toMatchObject([{ name: 'fruit \u202E', shown: 'fruit <U+202E>' }]);
  expect(await read('/api/costs?by=batch&model=other')).toMatchObject({ rows: [], only: { model: 'other' } });
  expect(await read('/api/costs?by=colour')).toMatchObject({
    status: 400,
    message: expect.stringContaining('by: expected one of session, day'),
  });
  expect(await read('/api/costs?modell=x')).toMatchObject({ status: 400 });

  const settle = (body: object, headers = {}) => change('/api/costs/settle', body, headers);
  const unpaid = { calls: [reservation], verdict: 'unpaid', why: 'no such call in the console' };
  expect(await settle({ ...unpaid, why: ' ' })).toMatchObject({ status: 400 });
  expect(await settle({ ...unpaid, calls: [] })).toMatchObject({ status: 400 });
  expect(await settle(unpaid, { origin: 'http://elsewhere.example' })).toMatchObject({ status: 403 });
  expect(await readBooks(redis)).toMatchObject({ uncertain: 9_000_000 });
  const done = { verdict: 'unpaid', settled: 1, known: 0, nanoUsd: 7_000_000, released: 1, isHalted: false };
  expect(await settle(unpaid)).toMatchObject({ status: 200, ...done });
  expect(await settle(unpaid)).toMatchObject({ settled: 0, known: 1, released: 0 });
  expect(await settle({ ...unpaid, calls: ['worker.no-such-call'] })).toMatchObject({
    status: 404,
    message: expect.stringContaining('fleet costs --uncertain') as string,
  });
  await fleet.until('parked-1', 'completed');
  expect(await settle({ calls: [other], verdict: 'paid', why: 'it is there' })).toMatchObject({ nanoUsd: 2_000_000 });
  expect(await readBooks(redis)).toMatchObject({ uncertain: 0, settled: (await fleet.costs()).total.costNano });
  expect(await read('/api/costs')).toMatchObject({
    uncertain: { count: 0, calls: [] },
    settlements: [
      { jobId: 'job-2', nanoUsd: 2_000_000, by: expect.stringContaining('in the dashboard') },
      { jobId: 'parked-1', nanoUsd: 0 },
    ],
  });
});

it('shows what each process holds and for how long, those that need a person first', async () => {
  let finish = (): void => undefined;
  const held = new Promise<void>((resolve) => (finish = resolve));
  const haiku = createScriptedModel(async () => (await held, 'two'));
  const fleet = await useFleet(redis, { haiku });
  const { redis: admin, keys } = redis;
  const { id } = await fleet.tasks.add({ description: 'Count the \u202E pears.' }, { taskId: 'count-1' });
  await fleet.until(id, 'active');
  const old = { id: 'haiku_old_1', host: 'box \u202E', pid: 7, slots: 3, active: [], seenAt: Date.now() - 50_000 };
  await admin.hset(keys.workers, old.id, JSON.stringify(old));
  await admin.hset(keys.attendants, 'librarian_box_001', Date.now());
  await admin.hset(keys.hostClocks, old.host, `90000|${Date.now()}`);
  const { read } = await open();
  await waitUntil(async () => JSON.stringify(await read('/api/workers')).includes('"count-1"'));
  const page = await read('/api/workers');
  expect(page).toMatchObject({ status: 200, version: readVersion(), outside: { held: 0 } });
  const processes = page['processes'] as { id: string; needs: { text: string; command: string }[] }[];
  expect(processes[0]).toMatchObject({ id: old.id, slots: 3, version: null, holds: [] });
  expect(processes[0]?.needs.map(({ text, command }) => `${text} / ${command}`)).toEqual([
    `runs an older version, this dashboard ${readVersion()} / fleet reload`,
    expect.stringMatching(/^no sign of life for \d+ s \/ fleet doctor$/),
    expect.stringContaining('the clock of box <U+202E> is'),
  ]);
  expect(processes.find((one) => one.id === 'librarian_box_001')).toMatchObject({ needs: [], slots: null });
  expect(processes.find((one) => one.id.startsWith('haiku_') && one.id !== old.id)).toMatchObject({
    needs: [],
    version: readVersion(),
    holds: expect.arrayContaining([
      { id, kind: 'task', text: 'Count the <U+202E> pears.', since: expect.stringMatching(/Z$/), model: null },
    ]),
  });
  finish();
  await fleet.until(id, 'completed');
  await waitUntil(async () => !JSON.stringify(await read('/api/workers')).includes('U+202E> pears'));
});

it('shows batches with their pace and spend, and changes one within the guards', async () => {
  const fleet = await useFleet(redis, { haiku: createScriptedModel(() => 'two') });
  const schema = { type: 'object', required: ['count'], properties: { count: { type: 'integer' } } };
  const tasks = [{ description: 'one' }, { description: 'fail', schema }, { description: 'two' }];
  const { ids } = await fleet.tasks.addMany(tasks, { batch: 'fruit', budgetUsd: 1 });
  await Promise.all(ids.map((id, i) => fleet.until(id, i === 1 ? 'failed' : 'completed')));
  await fleet.queue.pause();
  const { ids: waiting } = await fleet.tasks.addMany([{ description: 'later' }, { description: 'never' }], {
    batch: 'later',
  });
  const { read, change } = await open();
  const state = await fleet.batch('fruit');
  expect(await read('/api/batches')).toMatchObject({
    status: 200,
    more: 0,
    batches: [
      { batch: 'later', state: 'running', tasks: 2, open: 2, budgetNanoUsd: null },
      { batch: 'fruit', state: 'done', completed: 2, failed: 1, cancelled: 0, spentNanoUsd: state.settledNanoUsd },
    ],
  });
  expect(await read('/api/batches?all=maybe')).toMatchObject({ status: 400 });
  expect(await read('/api/batches/fruit')).toMatchObject({ completed: 2, failed: 1, open: 0, limitNanoUsd: 1e9 });
  expect(await read('/api/batches/nobody')).toMatchObject({ status: 404 });

  const foreign = { origin: 'http://elsewhere.example' };
  expect(await change('/api/batches/fruit/retry', {}, foreign)).toMatchObject({ status: 403 });
  expect(await change('/api/batches/fruit/retry', { force: true })).toMatchObject({ status: 400 });
  expect(await change('/api/batches/nobody/retry', {})).toMatchObject({ status: 404 });
  const retry = { status: 200, count: 1, refused: [], left: 0 };
  expect(await change('/api/batches/fruit/retry', { dryRun: true })).toMatchObject({
    ...retry,
    forecast: { tasks: 1, likely: expect.any(Number) },
  });
  expect(await fleet.batch('fruit')).toMatchObject({ failed: 1 });
  expect(await change('/api/batches/fruit/retry', {})).toMatchObject({ ...retry, forecast: null });
  expect(await fleet.batch('fruit')).toMatchObject({ failed: 0 });

  expect(await change('/api/batches/later/cancel', { dryRun: true })).toMatchObject({ status: 200, count: 2 });
  expect(await redis.redis.zcard(redis.keys.cancelled)).toBe(0);
  expect(await change('/api/batches/later/cancel', {})).toMatchObject({ status: 200, count: 2 });
  expect(await redis.redis.zmscore(redis.keys.cancelled, ...waiting)).not.toContain(null);
  expect(await change('/api/batches/later/budget', { limitUsd: 'much' })).toMatchObject({ status: 400 });
  expect(await change('/api/batches/nobody/budget', { limitUsd: '2' })).toMatchObject({ status: 404 });
  expect(await change('/api/batches/later/budget', { limitUsd: '2.50' })).toMatchObject({ status: 200, released: 0 });
  expect((await fleet.budget.read({ batch: 'later' })).limitUsd).toBe('2.500000');
});

it('answers a question beside its sources, and retracts one within the guards', async () => {
  const librarian = createScriptedArchive(() => ({ answer: 'Pears \u202E [f1] and [f2].', citations: ['f1', 'f2'] }));
  await storeFindings(redis, {
    f1: { result: 'Pears \u202E grow here.', topics: ['fruit'], session: 'today' },
    f2: { result: 'Pears do not.', topics: ['fruit'], session: 'today' },
    f3: { result: 'Tea.', topics: ['tea'] },
  });
  const fleet = await useFleet(redis, { librarian });
  const { read, change } = await open();
  const question = { question: 'Where do pears grow?', queryId: 'q1', topic: 'fruit', since: '', fallback: false };
  expect(await change('/api/archive/ask', question, { origin: 'http://elsewhere.example' })).toMatchObject({
    status: 403,
  });
  expect(await change('/api/archive/ask', { ...question, colour: 'red' })).toMatchObject({ status: 400 });
  expect(await change('/api/archive/ask', { ...question, since: 'soon' })).toMatchObject({
    status: 400,
    message: expect.stringContaining('since: expected a date'),
  });
  expect(await change('/api/archive/ask', { ...question, question: ' ' })).toMatchObject({ status: 400 });
  expect(await change('/api/archive/ask', { ...question, swarm: 'nobody' })).toMatchObject({ status: 400 });
  expect(await change('/api/archive/ask', question)).toMatchObject({ status: 200, id: 'archive_q1', added: true });
  expect(await change('/api/archive/ask', question)).toMatchObject({ status: 200, added: false });
  expect(await change('/api/archive/ask', { ...question, question: 'Other?' })).toMatchObject({ status: 400 });
  await waitUntil(async () => (await fleet.findings.get('archive_q1')) !== null);
  expect(idsShown(librarian.calls[0] ?? { prompt: '' }).toSorted()).toEqual(['f1', 'f2']);

  const list = { answers: [{ id: 'archive_q1', question: 'Where do pears grow?', sources: 2, isRetracted: false }] };
  expect(await read('/api/archive/answers')).toMatchObject({ status: 200, ...list });
  expect(await read('/api/archive/answers/archive_q1')).toMatchObject({
    text: 'Pears <U+202E> [f1] and [f2].',
    sources: [
      { id: 'f1', summary: 'Pears <U+202E> grow here.', isRetracted: false, canRetract: true },
      { id: 'f2', canRetract: true },
    ],
  });
  expect(await read('/api/archive/answers/nobody')).toMatchObject({ status: 404 });
  expect(await read('/api/archive/citing/f2')).toMatchObject({ count: 1 });
  expect(await read('/api/archive/citing/f3')).toMatchObject({ count: 0, answers: [] });

  const retract = (body: object, headers = {}) => change('/api/archive/retract', body, headers);
  expect(await retract({ id: 'f2', why: ' ' })).toMatchObject({ status: 400 });
  expect(await retract({ id: 'f2', why: 'wrong' }, { origin: 'http://elsewhere.example' })).toMatchObject({
    status: 403,
  });
  expect(await retract({ id: 'nobody', why: 'wrong' })).toMatchObject({ status: 404 });
  expect(await retract({ id: 'f2', why: 'wrong' })).toMatchObject({ status: 200, restored: 0 });
  expect(await retract({ id: 'f2', why: 'wrong' })).toMatchObject({ status: 400 });
  expect(await read('/api/archive/answers/archive_q1')).toMatchObject({
    sources: [{ id: 'f1' }, { id: 'f2', isRetracted: true, canRetract: false }],
  });
});

it('needs a login for each of these addresses where there is one', async () => {
  const { ask, send } = await open({ DASHBOARD_PASSWORD: TEST_PASSWORD });
  for (const path of ['/api/costs', '/api/workers', '/api/batches', '/api/batches/x', '/api/archive/answers'])
    expect((await ask(path)).status).toBe(401);
  for (const path of ['/api/costs/settle', '/api/batches/x/cancel', '/api/archive/ask', '/api/archive/retract'])
    expect((await send('POST', path, {})).status).toBe(401);
});
