import { renderCosts } from '../../../ledger/report/render.ts';
import { REPORT_DIMENSIONS, type ReportDimension } from '../../../ledger/report/types.ts';
import { readWholeLedger, toCostReport } from '../../../ledger/report/report.ts';
import { catalogOf } from '../../../pricing/catalog.ts';
import { describeUncertain } from '../../../status/notices/money.ts';
import { printJson } from '../../output/print.ts';
import { withFleet, readSnapshot } from '../../input/with-fleet.ts';
import { runCostsReconcile, runCostsUncertain } from './costs-uncertain.ts';

export type CostsOptions = { by: ReportDimension; json?: boolean; uncertain?: true; reconcile?: string } & Partial<
  Record<ReportDimension, string>
>;

/** Does `fleet costs`. */
export async function runCostsCommand(options: CostsOptions): Promise<void> {
  if (options.uncertain === true) return runCostsUncertain(options);
  if (options.reconcile !== undefined) return runCostsReconcile(options.reconcile, options);
  await withFleet(async (fleet) => {
    const { db, config } = fleet.inner;
    const only = Object.fromEntries(
      REPORT_DIMENSIONS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
    );
    const catalog = catalogOf(config);
    const report = toCostReport(await readWholeLedger(db), {
      by: options.by,
      sonnet: catalog.findPrices(config.FLEET_COORDINATOR_MODEL, new Date()),
      catalog,
      only,
    });
    const { uncertain } = await readSnapshot(fleet);
    if (options.json) return printJson({ ...report, uncertain });
    if (report.rows.length === 0 && Object.keys(only).length > 0) return console.log(describeNothing(only));
    console.log(renderCosts(report));
    if (uncertain.callCount > 0) {
      console.log(`Not in it: uncertain cost of ${describeUncertain(uncertain)}; fleet costs --uncertain lists them`);
    }
  });
}

/** Names the filters: a name may be mistyped. */
function describeNothing(only: Partial<Record<ReportDimension, string>>): string {
  const named = Object.entries(only).map(([dimension, name]) => `${dimension} ${name}`);
  const lists = Object.keys(only).map((dimension) => `fleet costs --by ${dimension}`);
  return `Nothing has been spent on ${named.join(' and ')}; ${lists.join(', ')}: what there is`;
}
