import { existsSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageFolder } from '../../../config/package-folder.ts';
import { countTextFiles } from '../../../demo/count-text-files.ts';
import { startDemoFleet, type DemoFleet } from '../../../demo/demo-fleet.ts';
import { runDemo } from '../../../demo/run-demo.ts';
import { countOf } from '../../../text/plural.ts';
import { UsageError } from '../../../errors.ts';

const HAIKU_COUNT = 2;

/** Does `fleet demo`. */
export async function runDemoCommand(folder: string | undefined, options: { keep?: boolean }): Promise<void> {
  const workspace = resolveFolder(folder);
  const keep = options.keep ?? false;
  const count = countTextFiles(workspace);
  if (count === 0) throw new UsageError(`${workspace}: no text files to work on; name another folder`);
  console.log(
    `Bringing up a fleet of its own on simulated models, over ${workspace} (${countOf(count, 'text file')})\n`,
  );
  let stop = async (): Promise<void> => {};
  endOnSignals(() => stop());
  try {
    const demo = await startDemoFleet({ workspace, keep, haikuCount: HAIKU_COUNT }, (end) => (stop = end));
    if (!(await runDemo(demo, console.log))) process.exitCode = 1;
    console.log(
      `\nDashboard: ${demo.dashboardUrl}${keep ? '' : ' (it ends with the demo; --keep leaves all of it up)'}`,
    );
    if (keep) printKept(demo);
  } catch (error) {
    await stop();
    throw error;
  }
  if (!keep) await stop();
}

function resolveFolder(folder: string | undefined): string {
  const path = folder === undefined ? defaultFolder() : resolve(folder);
  if (!existsSync(path) || !statSync(path).isDirectory()) throw new UsageError(`${path}: expected a folder`);
  return realpathSync(path);
}

/** The source of a checkout, the compiled code of an installed package. */
function defaultFolder(): string {
  const source = join(packageFolder, 'src');
  return existsSync(source) ? source : join(packageFolder, 'dist', 'src');
}

/** Stops the demo's processes also after Ctrl-C and other signals. */
function endOnSignals(stop: () => Promise<void>): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      const exit = () => process.exit(code);
      stop().then(exit, exit);
    });
  }
}

function printKept({ config, folder, pids }: DemoFleet): void {
  const env = `REDIS_URL=${config.REDIS_URL} FLEET_HOME=${folder}/home FLEET_OFFLINE=1`;
  console.log(`Look at it:  ${env} npx fleet status`);
  console.log(`End it:      kill ${pids.join(' ')} && rm -r ${folder}`);
}
