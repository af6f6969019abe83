/**
 * Prints what the fleet spent by session, day, batch, mission, model or worker (default: model), and what the same tokens
 * would have cost on Sonnet.
 *
 *   node dist/examples/read-costs.js worker
 */
import { connectFleet, formatUsd, REPORT_DIMENSIONS } from 'haiku-fleet';

const by = REPORT_DIMENSIONS.find((dimension) => dimension === process.argv[2]) ?? 'model';

const fleet = await connectFleet();
try {
  const { rows, total, sonnet } = await fleet.costs({ by });
  for (const { name, tasks, costNano } of [...rows, { ...total, name: 'total' }]) {
    console.log(`${name ?? 'none'}: ${tasks} tasks, ${formatUsd(costNano, 4)}`);
  }
  console.log(`all on ${sonnet}: ${formatUsd(total.allSonnetNano, 4)}, saved ${total.savedPercent.toFixed(1)} %`);

  const { budget } = await fleet.status();
  const limit = budget.limitNanoUsd === null ? 'no limit set' : formatUsd(budget.limitNanoUsd, 4);
  console.log(`today: ${formatUsd(budget.settledNanoUsd, 4)} of ${limit}`);
} finally {
  await fleet.close();
}
