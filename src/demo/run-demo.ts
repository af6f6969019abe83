import { openFleet } from '../api/open-fleet.ts';
import { renderCosts } from '../ledger/report/render.ts';
import { readLedger, toCostReport } from '../ledger/report/report.ts';
import { catalogOf } from '../pricing/catalog.ts';
import { renderStatus } from '../status/render/status.ts';
import type { DemoFleet } from './demo-fleet.ts';
import { reportMission } from './report-mission.ts';

/** Gives the fleet a mission, and prints its results, the fleet's status and the costs. @returns whether the mission was done */
export async function runDemo(demo: DemoFleet, print: (line: string) => void): Promise<boolean> {
  const fleet = await openFleet(demo.config);
  try {
    const isDone = await reportMission(fleet, print);
    print('');
    print(renderStatus(await fleet.status(), { colour: false }));
    print('');
    const catalog = catalogOf(demo.config);
    const sonnet = catalog.findPrices(demo.config.FLEET_COORDINATOR_MODEL, new Date());
    const entries = await readLedger(fleet.inner.db);
    print(renderCosts(toCostReport(entries, { by: 'worker', sonnet, catalog })));
    return isDone;
  } finally {
    await fleet.close();
  }
}
