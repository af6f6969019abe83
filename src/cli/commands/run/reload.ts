import { countOf } from '../../../text/plural.ts';
import { reloadFleet } from '../../../pm2/reload.ts';
import { readConfig } from '../../input/read-config.ts';
import { describeOther, showWaiting } from '../../output/progress.ts';
import { printProcessProblem } from '../../output/print.ts';

/** Does `fleet reload`. */
export async function runReloadCommand(): Promise<void> {
  const config = readConfig();
  const waiting = showWaiting();
  const { reloaded, problems } = await reloadFleet(config, {
    onWait: (other) => waiting.update(describeOther(other)),
    onReloaded: (left, total) =>
      waiting.update(
        `Waiting for running model calls to end and be stored; ${left} of ${countOf(total, 'process', 'processes')} still to restart`,
      ),
  }).finally(waiting.stop);
  for (const problem of problems) printProcessProblem(problem);
  if (problems.length > 0) process.exitCode = 1;
  console.log(reloaded === 0 ? 'Nothing was running.' : `Reloaded ${countOf(reloaded, 'process', 'processes')}.`);
  if (config.shadowed.length > 0) {
    console.log(
      `⚠️  Set in this shell and in .env to different values, the shell's counts where pm2 knew it: ${config.shadowed.join(', ')}`,
    );
  }
}
