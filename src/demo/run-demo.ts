import { openFleet } from '../api/open-fleet.ts';
import { renderCosts } from '../ledger/report/render.ts';
import { readLedger, toCostReport } from '../ledger/report/report.ts';
import { findPrices } from '../pricing/catalog.ts';
import { renderStatus } from '../status/render/status.ts';
import type { DemoFleet } from './demo-fleet.ts';
import { tellMission } from './tell-mission.ts';

/** Gives the fleet a mission and prints what comes of it, then how the fleet stands and what it cost. @returns whether it was done */
export async function runDemo(demo: DemoFleet, say: (line: string) => void): Promise<boolean> {
  const fleet = await openFleet(demo.config);
  try {
    const isDone = await tellMission(fleet, say);
    say('');
    say(renderStatus(await fleet.status(), { colour: false }));
    say('');
    const sonnet = findPrices(demo.config.FLEET_SONNET_MODEL, new Date());
    const entries = await readLedger(fleet.inner.db);
    say(renderCosts(toCostReport(entries, { by: 'worker', sonnet })));
    return isDone;
  } finally {
    await fleet.close();
  }
}
