import { isOffline, type Config } from '../config/environment.ts';
import { toMessage } from '../errors.ts';
import { seedBudget } from '../ledger/budget.ts';
import { createModel } from '../models/create/model.ts';
import { formatUsd } from '../pricing/money.ts';
import type { Db } from '../redis/db.ts';
import { markSwarm } from '../redis/preflight.ts';
import { toOneLine } from '../text/one-line.ts';
import { beginSession } from '../swarm/session.ts';
import { unwell, well, type CheckResult } from './check.ts';
import { checkAnthropic, type LiveResults } from './anthropic-live.ts';
import { checkArchive } from './archive-live.ts';

/**
 * Tries each configured key and model with small calls. They are reserved and booked as any call, within the day's budget,
 * and the last line says what all of them cost.
 */
export async function checkLive(db: Db, config: Config): Promise<CheckResult[]> {
  await markSwarm(db, isOffline(config) ? 'simulated' : 'real');
  await seedBudget(db, config.FLEET_BUDGET_USD);
  const parts = { db, config, session: await beginSession(db, '') };
  const found = [await checkModels(parts), await checkArchive(parts)];
  const nanoUsd = found.reduce((sum, one) => sum + one.nanoUsd, 0);
  return [...found.flatMap(({ results }) => results), well('cost', `${formatUsd(nanoUsd, 6)} in all`)];
}

async function checkModels(parts: { db: Db; config: Config; session: string }): Promise<LiveResults> {
  try {
    const { model, close } = await createModel(parts.config);
    try {
      return await checkAnthropic(parts, model);
    } finally {
      await close();
    }
  } catch (error) {
    return { results: [unwell('models', toOneLine(toMessage(error)), 'mend the line on models first')], nanoUsd: 0 };
  }
}
