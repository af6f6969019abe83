import { randomBytes } from 'node:crypto';
import { createTurnLedger } from '../ledger/turn-ledger.ts';
import type { TaskIdentity } from '../ledger/types.ts';
import type { Config } from '../config/environment.ts';
import { formatUsd } from '../pricing/money.ts';
import { costNanoUsd, worstCaseNanoUsd } from '../pricing/cost.ts';
import { findModel } from '../pricing/catalog.ts';
import { createModel } from '../models/create/model.ts';
import type { Model, ModelReply } from '../models/model.ts';
import type { Db } from '../redis/db.ts';
import { markSwarm } from '../redis/preflight.ts';
import { isOffline } from '../config/environment.ts';
import { seedBudget } from '../ledger/budget.ts';
import { beginSession } from '../swarm/session.ts';
import { attempt, unwell, well, type CheckResult } from './check.ts';

const MAX_TOKENS = 16;
/** Upper bound of the message's tokens. */
const INPUT_BOUND = 200;

/** Makes one small call to each configured model. It is reserved and booked as any call, within the day's budget. */
export async function checkLive(db: Db, config: Config): Promise<CheckResult[]> {
  await markSwarm(db, isOffline(config) ? 'simulated' : 'real');
  await seedBudget(db, config.FLEET_BUDGET_USD);
  const { model, close } = await createModel(config);
  try {
    const results: CheckResult[] = [];
    for (const id of new Set([config.FLEET_HAIKU_MODEL, config.FLEET_SONNET_MODEL])) {
      const fix = 'correct the key or the model’s name; the provider’s words are above';
      results.push(await attempt(`call ${id}`, fix, () => callOnce(id, model, db)));
    }
    return results;
  } finally {
    await close();
  }
}

async function callOnce(id: string, model: Model, db: Db): Promise<CheckResult> {
  const { redis, keys } = db;
  const entry = findModel(id, new Date());
  const ledger = createTurnLedger({ db, workerId: 'doctor', now: () => new Date() });
  const jobId = `doctor-${randomBytes(8).toString('hex')}`;
  const task: TaskIdentity = {
    jobId,
    token: '', // no queue, no lock
    attempt: 0,
    digest: 'doctor',
    findingId: jobId,
    session: await beginSession(db, ''),
    batch: null,
    missionId: null,
    budgetNanoUsd: null,
    model: id,
    costVendor: entry.costVendor,
  };
  const worstNanoUsd = worstCaseNanoUsd(entry, { inputTokensBound: INPUT_BOUND, maxTokens: MAX_TOKENS });
  const begun = await ledger.begin(task, { turn: 0, worstNanoUsd, first: false });
  if (begun.kind !== 'reserved') return unwell(`call ${id}`, `not sent: ${begun.kind}`, 'fleet status says more');
  const start = performance.now();
  let reply: ModelReply;
  try {
    const request = { model: id, system: [], tools: [], maxTokens: MAX_TOKENS };
    const messages = [{ role: 'user' as const, content: 'Answer with the word OK.' }];
    reply = await model.call({ ...request, messages }, { signal: AbortSignal.timeout(60_000) });
  } catch (error) {
    const billed = error instanceof Error && 'billed' in error ? error.billed : 'unknown';
    await ledger.closeReservation(task, begun.reservation, billed === 'no' ? 'release' : 'uncertain');
    throw error;
  }
  const ms = Math.round(performance.now() - start);
  const nanoUsd = costNanoUsd(entry, reply.usage, reply.geo);
  const booking = { reservation: begun.reservation, nanoUsd, usage: reply.usage };
  const totals = { nanoUsd, usage: reply.usage, calls: 1 };
  await ledger.settle(task, { epoch: begun.epoch, turn: 0 }, booking, null, totals, { log: '', progress: null });
  await redis.del(keys.turns(jobId));
  return well(`call ${id}`, `answered in ${ms} ms for ${formatUsd(nanoUsd, 6)}, booked`);
}
