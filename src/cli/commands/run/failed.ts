import { countOf } from '../../../text/plural.ts';
import { isCancelled } from '../../../jobs/cancelled.ts';
import { listFailed } from '../../../tasks/repair/list-failed.ts';
import { noteHalt } from '../../output/halt-note.ts';
import { lineWidth, printJson, fitLine } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet failed`. */
export async function runFailedCommand(options: { batch?: string; session?: string; json?: boolean }): Promise<void> {
  const { json = false, ...filter } = options;
  await withFleet(async ({ inner }) => {
    const shown = await listFailed(inner, filter);
    if (json) return printJson(shown);
    const failed = shown.filter(({ reason }) => !isCancelled(reason));
    if (failed.length === 0) console.log(`Nothing${describeFilter(options)} has failed.`);
    for (const group of [...failed, ...shown.filter(({ reason }) => isCancelled(reason))]) {
      const mark = isCancelled(group.reason) ? '⏹ ' : '❌';
      console.log(`${mark} ${group.reason}: ${countOf(group.count, group.kind)}`);
      for (const job of group.examples) {
        console.log(`   ${job.id}  ${job.failedAt.slice(0, 19)}Z  ${fitLine(job.description, 60)}`);
        console.log(`      ${fitLine(job.text, Math.max(40, lineWidth() - 6))}`);
      }
      console.log(`   ➜ ${group.repair}`);
    }
    await noteHalt(inner.db);
  });
}

/** ` of batch first`; empty without a filter. */
function describeFilter({ batch, session }: { batch?: string; session?: string }): string {
  const scopes = [
    batch === undefined ? [] : `batch ${batch}`,
    session === undefined ? [] : `session ${session}`,
  ].flat();
  return scopes.map((scope) => ` of ${scope}`).join('');
}
