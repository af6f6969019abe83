import { DEFAULT_BUDGET_NANO_USD } from '../ledger/budget.ts';
import { toNanoUsd } from '../pricing/money.ts';
import type { OpenFleet } from '../api/open-fleet.ts';
import type { StatusSnapshot } from '../status/types.ts';
import { readStatus } from '../status/read/snapshot.ts';

/** The fleet's state, with the budget that would hold where none is set yet. */
export async function readSnapshot({ inner }: OpenFleet): Promise<StatusSnapshot> {
  const { db, config } = inner;
  const seed = config.FLEET_BUDGET_USD;
  return readStatus(db, {
    shards: config.shards,
    sonnetModel: config.FLEET_SONNET_MODEL,
    defaultDayLimitNanoUsd: seed === undefined ? DEFAULT_BUDGET_NANO_USD : toNanoUsd(seed),
  });
}
