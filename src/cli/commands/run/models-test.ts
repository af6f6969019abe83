import { isOffline } from '../../../config/environment.ts';
import { tryModel } from '../../../doctor/anthropic-live.ts';
import { seedBudget } from '../../../ledger/budget.ts';
import { isLoopbackUrl } from '../../../models/create/loopback.ts';
import { createModel } from '../../../models/create/model.ts';
import { catalogOf } from '../../../pricing/catalog.ts';
import { formatUsd } from '../../../pricing/money.ts';
import { markSwarm } from '../../../redis/preflight.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';
import { EXIT } from '../../output/report-failure.ts';
import { findEntry } from './models.ts';
import { FREE_LOCAL } from '../../../pricing/free-local.ts';

/** Does `fleet models test`. */
export async function runModelsTestCommand(id: string, options: { json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db, config, currentSession } }) => {
    const entry = findEntry(config, id);
    const { model, close } = await createModel(config, catalogOf(config), [id]);
    try {
      await markSwarm(db, isOffline(config) ? 'simulated' : 'real');
      await seedBudget(db, config.FLEET_BUDGET_USD);
      const { results, nanoUsd } = await tryModel({ db, config, session: await currentSession() }, model, id);
      if (results.some(({ ok }) => !ok)) process.exitCode = EXIT.failed;
      if (options.json === true) return printJson({ model: id, results, nanoUsd });
      for (const { ok, what, seen, fix } of results) {
        console.log(`${ok ? '✅' : '❌'} ${what}: ${seen}${fix === undefined ? '' : `\n   → ${fix}`}`);
      }
      const cost = entry.isLocal ? `${FREE_LOCAL}: nothing was paid` : `${formatUsd(nanoUsd, 6)} in all, booked`;
      const isSimulated = isOffline(config) && (entry.baseUrl === null || !isLoopbackUrl(entry.baseUrl));
      console.log(`${cost}${isSimulated ? '; the model is simulated (FLEET_OFFLINE=1)' : ''}`);
    } finally {
      await close();
    }
  });
}
