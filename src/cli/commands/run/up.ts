import { formatUsd } from '../../../pricing/money.ts';
import { bringUp } from '../../../pm2/up.ts';
import type { Changer } from '../../../pm2/change-turn.ts';
import { redisAddress } from '../../../config/redis-url.ts';
import { describeOther, showWaiting } from '../../output/progress.ts';
import { printJson, printProcessProblem } from '../../output/print.ts';

/** Does `fleet up`. */
export async function runUpCommand(options: {
  haiku?: number;
  librarians?: number;
  embedded?: boolean;
  json?: boolean;
}): Promise<void> {
  const waiting = showWaiting();
  const onWait = (other: Changer): void => waiting.update(describeOther(other));
  const report = await bringUp(process.env, { ...options, onWait, onBegin: waiting.stop }).finally(waiting.stop);
  if (report.problems.length > 0) process.exitCode = 1;
  if (options.json) return printJson(report);
  for (const warning of report.warnings) console.log(`⚠️  ${warning}`);
  for (const problem of report.problems) printProcessProblem(problem);
  const counts = Object.entries(report.ready).map(([name, count]) => `${count} × ${name}`);
  console.log(`Running:    ${counts.length === 0 ? 'nothing' : counts.join(', ')}`);
  console.log(`Redis:      ${redisAddress(report.redisUrl)}`);
  if (report.problems.length === 0) {
    console.log(`Dashboard:  ${report.dashboardUrl}`);
    console.log(`Budget:     ${formatUsd(report.budgetNanoUsd, 4)} a day (fleet budget USD changes it)`);
  }
}
