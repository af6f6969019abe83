import { describe, expect, it } from 'vitest';
import { payOwed } from '../../../src/ledger/pay-owed.ts';
import { renderCosts } from '../../../src/ledger/report/render.ts';
import { readLedger } from '../../../src/ledger/report/report.ts';
import { readWastedCost } from '../../../src/ledger/report/wasted-cost.ts';
import { createTurnLedger } from '../../../src/ledger/turn-ledger.ts';
import type { TaskIdentity } from '../../../src/ledger/types.ts';
import { readUncertain } from '../../../src/ledger/uncertain/list.ts';
import { settleUncertain } from '../../../src/ledger/uncertain/settle.ts';
import { delegationOf } from '../../../src/status/read/delegation.ts';
import { renderStatus } from '../../../src/status/render/status.ts';
import { beginSession } from '../../../src/swarm/session.ts';
import { compareMoney } from '../../support/books/money.ts';
import { toTestFinding } from '../../support/redis/test-finding.ts';
import { useFleet } from '../../support/fleet/use-fleet.ts';
import { toTestIdentity } from '../../support/redis/uncertain-call.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const test = useRedis();
const USAGE = { input: 1_000, cache_write: 0, cache_read: 0, output: 100 };
const NOTE = { log: 'turn 1 of 3', progress: null };

type Call = Partial<TaskIdentity> & { apart?: 'archive'; nanoUsd?: number; usage?: typeof USAGE };

/** Makes one call of a task, or of the archive, and books it. */
async function pay({ apart, nanoUsd = 5_000_000, usage = USAGE, ...more }: Call): Promise<void> {
  const ledger = createTurnLedger({ db: test.db, workerId: 'w', ...(apart ? { apart, queue: 'archive' } : {}) });
  const session = await beginSession(test.db, '');
  const task = {
    ...toTestIdentity('job'),
    session,
    token: '',
    model: 'deepseek-flash',
    costVendor: 'deepseek',
    ...more,
  };
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd: nanoUsd * 2, first: true });
  if (begun.kind !== 'reserved') throw new Error(begun.kind);
  const { epoch, reservation } = begun;
  const totals = { nanoUsd, usage, calls: 1 };
  await ledger.settle(task, { epoch, turn: 0 }, { reservation, nanoUsd, usage }, { text: 'yes' }, totals, NOTE);
}

describe('a vendor of its own', () => {
  const cost = (vendor: string) => test.redis.get(test.keys.cost(vendor));

  it('has a public total, which counts from 0 in each session, whoever added to it', async () => {
    await pay({});
    await pay({ jobId: 'b', findingId: 'b', model: 'gpt-5.5', costVendor: 'openai', nanoUsd: 2_000_000 });
    expect(await cost('deepseek')).toBe('0.005');
    expect(await cost('openai')).toBe('0.002');
    expect(test.keys.cost('deepseek')).toMatch(/cost:deepseek$/);
    expect(await compareMoney(test.db, { isIdle: true })).toEqual([]);

    await beginSession(test.db, 'second');
    expect(Number(await cost('deepseek'))).toBe(0);
    await test.redis.incrbyfloat(test.keys.cost('deepseek'), 0.25); // another program, and the fleet pays nothing
    await beginSession(test.db, 'third');
    expect(Number(await cost('deepseek'))).toBe(0);
    expect(await compareMoney(test.db, { isIdle: true })).toEqual([]);
  });

  it('is paid later where another program’s value is in its place, which the status names', async () => {
    const fleet = await useFleet(test);
    await pay({});
    await test.redis.del(test.keys.cost('deepseek'));
    await test.redis.sadd(test.keys.cost('deepseek'), 'x');
    await pay({ jobId: 'b', findingId: 'b' });
    const { foreignKeys, spend } = await fleet.status();
    expect(foreignKeys.map(({ key }) => key)).toEqual([test.keys.cost('deepseek')]);
    expect(spend['deepseek']).toMatchObject({ nanoUsd: 10_000_000, externalNanoUsd: 0 });
    await test.redis.del(test.keys.cost('deepseek'));
    expect(await payOwed(test.db)).toBe(1);
    expect(await cost('deepseek')).toBe('0.01');
  });

  it('has a line of the status between Gemini and what has no vendor', async () => {
    const fleet = await useFleet(test);
    await pay({});
    await test.redis.set(test.keys.cost('other'), '0.5'); // an older version booked it there
    const status = await fleet.status();
    expect(Object.keys(status.spend)).toEqual(['sonnet', 'haiku', 'gemini', 'deepseek', 'other']);
    expect(renderStatus(status)).toMatch(
      /Gemini: {3}\$0\.0000\n {2}DeepSeek: \$0\.0050\n {2}Other: {4}\$0\.5000\n {2}Total: {4}\$/,
    );
  });
});

describe('the archive’s calls', () => {
  const QUESTION = { input: 290_000, cache_write: 0, cache_read: 0, output: 500 };

  it('are in no share of the session, and shown apart', async () => {
    const fleet = await useFleet(test);
    await pay({ model: 'claude-haiku-5-5', costVendor: 'haiku' });
    const before = delegationOf(await fleet.status());
    await pay({
      jobId: 'q',
      findingId: 'q',
      model: 'gemini-3.5-flash-lite',
      costVendor: 'gemini',
      apart: 'archive',
      nanoUsd: 0,
      usage: QUESTION,
    });
    const status = await fleet.status();
    expect(delegationOf(status)).toEqual(before);
    expect(before.haikuTokens).toBe(1);
    expect(status.archive).toEqual({ nanoUsd: 0, tokens: 290_500, calls: 1 });
    expect(renderStatus(status)).toContain(
      'Archive cost:     $0.0000 for 1 call of librarians, 290,500 tokens (in none of the shares)',
    );
  });

  it('are told from a task’s of the same worker and model in the ledger, also where a person settles one', async () => {
    const gemini = { model: 'gemini-3.5-flash-lite', costVendor: 'gemini' };
    await pay(gemini);
    await pay({ ...gemini, jobId: 'q', findingId: 'q', apart: 'archive', usage: QUESTION });
    const ledger = createTurnLedger({ db: test.db, workerId: 'w', queue: 'archive', apart: 'archive' });
    const lost = { ...toTestIdentity('lost'), session: await beginSession(test.db, ''), token: '', ...gemini };
    const begun = await ledger.begin(lost, { turn: 0, worstNanoUsd: 700, first: true });
    if (begun.kind === 'reserved') await ledger.closeReservation(lost, begun.reservation, 'uncertain');
    const [call] = await readUncertain(test.db);
    if (call === undefined) throw new Error('no call is uncertain');
    await settleUncertain(test.db, call, { nanoUsd: 600, usage: USAGE, by: 'me', why: 'billed' });
    const [entry] = await readLedger(test.db);
    expect(entry).toMatchObject({
      calls: 3,
      nano: 10_000_600,
      usage: { input: 292_000, output: 700 },
      archive: { calls: 2, costNano: 5_000_600, usage: { input: 291_000, output: 600 } },
    });
    expect((await (await useFleet(test)).status()).archive).toEqual({ calls: 2, nanoUsd: 5_000_600, tokens: 291_600 });
  });
});

describe('what is delegated', () => {
  /** Ends a task of this model. */
  async function finish(jobId: string, model: string, costVendor: string): Promise<void> {
    const ledger = createTurnLedger({ db: test.db, workerId: 'w' });
    const session = await beginSession(test.db, '');
    const task = { ...toTestIdentity(jobId), session, token: '', model, costVendor };
    await ledger.finish(task, toTestFinding(task.findingId, { job_id: jobId }), null, NOTE);
  }

  it('is every task that is not on the coordinator’s class of model', async () => {
    const fleet = await useFleet(test, { env: { FLEET_COORDINATOR_MODEL: 'claude-opus-4-8' } });
    for (let i = 0; i < 5; i += 1) await finish(`haiku-${i}`, 'claude-haiku-5-5', 'haiku');
    for (let i = 0; i < 13; i += 1) await finish(`cheap-${i}`, 'deepseek-flash', 'deepseek');
    await finish('sonnet', 'claude-sonnet-5-5', 'sonnet');
    await finish('opus', 'claude-opus-4-7', 'anthropic');
    const status = await fleet.status();
    expect(status.lead).toEqual({ model: 'claude-opus-4-8', name: 'claude-opus-4-8', tasks: 1, isWorkers: false });
    expect(delegationOf(status)).toMatchObject({ delegatedTasks: 0.95, haikuTasks: 0.25, onTarget: true });
    expect(renderStatus(status)).toMatch(
      /Token Efficiency: ✅\n {2}Sonnet: .*\n {2}Haiku: .*\n {2}Anthropic: .*\n {2}DeepSeek: {3}65\.0% of tasks .*\n {2}Delegated: {2}95\.0% of tasks \(target: 90%\+\)/,
    );
  });

  it('has no target where workers use the coordinator’s class', async () => {
    const fleet = await useFleet(test, { env: { FLEET_COORDINATOR_MODEL: 'claude-haiku-4-5' } });
    await finish('haiku', 'claude-haiku-5-5', 'haiku');
    const status = await fleet.status();
    expect(delegationOf(status)).toMatchObject({ delegatedTasks: 0, hasTarget: false });
    expect(renderStatus(status)).toContain('Delegated: no target: workers use the coordinator’s class of model, Haiku');
  });
});

describe('the report of costs', () => {
  it('sums by vendor and by route', async () => {
    const fleet = await useFleet(test);
    await pay({ route: 'route 1 (kind docs)' });
    await pay({ jobId: 'b', findingId: 'b', model: 'claude-haiku-5-5', costVendor: 'haiku', nanoUsd: 7_000_000 });
    const names = async (by: 'vendor' | 'route') =>
      (await fleet.costs({ by })).rows.map(({ name, costNano }) => [name, costNano]);
    expect(await names('vendor')).toEqual([
      ['anthropic', 7_000_000],
      ['deepseek', 5_000_000],
    ]);
    expect(await names('route')).toEqual([
      [null, 7_000_000],
      ['route 1 (kind docs)', 5_000_000],
    ]);
    expect((await fleet.costs({ by: 'model', only: { vendor: 'deepseek' } })).rows).toHaveLength(1);
  });

  it('compares with the coordinator’s model, without the archive', async () => {
    const fleet = await useFleet(test, { env: { FLEET_COORDINATOR_MODEL: 'claude-opus-4-8' } });
    await pay({ model: 'claude-haiku-5-5', costVendor: 'haiku', nanoUsd: 150_000 });
    const before = await fleet.costs();
    expect(before).toMatchObject({ sonnet: 'claude-opus-4-8', total: { allSonnetNano: 7_500_000, savedPercent: 98 } });
    const usage = { ...USAGE, input: 290_000 };
    await pay({
      jobId: 'q',
      findingId: 'q',
      model: 'gemini-3.5-flash-lite',
      costVendor: 'gemini',
      apart: 'archive',
      usage,
    });
    const { total } = await fleet.costs();
    expect(total).toMatchObject({ allSonnetNano: 7_500_000, savedPercent: 98, costNano: 5_150_000 });
    expect(renderCosts(await fleet.costs())).toMatch(/all claude-opus-4-8 +saved +archive +its cost\n/);
  });

  it('a coordinator’s model without a schema is refused before a mission is added', async () => {
    const fleet = await useFleet(test, { env: { FLEET_COORDINATOR_MODEL: 'deepseek-flash' } });
    await expect(fleet.missions.add({ goal: 'Describe the code' })).rejects.toThrow(
      /FLEET_COORDINATOR_MODEL: expected a model that replies by a schema, got "deepseek-flash"; such are claude-haiku-5-5/,
    );
  });
});

it('rework is booked to the model and the route of the last call', async () => {
  await pay({ jobId: 'lost', route: 'route 1 (kind docs)' });
  const job = { id: 'lost', data: { description: 'x', model: 'claude-haiku-5-5' } };
  const wasted = await readWastedCost(job, { db: test.db, workerId: 'w' });
  const [field = ''] = await test.redis.hkeys(test.keys.ledger(wasted?.day ?? ''));
  expect(wasted?.row).toBe(`${field.slice(0, field.lastIndexOf('|') + 1)}rework_`);
  expect(wasted?.row).toContain('|deepseek-flash|w|');
});

it('a call knows the route that chose its model', async () => {
  await pay({ route: 'route 2 (kind docs | all)' });
  await pay({ jobId: 'b', findingId: 'b', client: 'alice' });
  const entries = await readLedger(test.db);
  expect(entries.map(({ route, client }) => [route, client])).toEqual(
    expect.arrayContaining([
      ['route 2 (kind docs | all)', null],
      [null, 'alice'],
    ]),
  );
});
