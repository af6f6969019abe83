import type { CheckGroup } from '../../../doctor/check.ts';
import { printJson } from '../../output/print.ts';

/** Does `fleet doctor`. */
export async function runDoctorCommand(options: { live?: boolean; json?: boolean }): Promise<void> {
  const { runDoctor } = await import('../../../doctor/run-doctor.ts'); // it loads the providers' libraries
  const groups = await runDoctor(process.env, { live: options.live ?? false });
  if (groups.some(({ results }) => results.some(({ ok }) => !ok))) process.exitCode = 1;
  if (options.json) return printJson(groups);
  console.log(groups.map(render).join('\n\n'));
}

function render({ title, results }: CheckGroup): string {
  const width = Math.max(...results.map(({ what }) => what.length));
  const lines = results.flatMap(({ ok, what, seen, fix }) => [
    `${ok ? '✅' : '❌'} ${what.padEnd(width)}  ${seen}`,
    ...(fix === undefined ? [] : [`   ${' '.repeat(width)}  → ${fix}`]),
  ]);
  return [title, ...lines].join('\n');
}
