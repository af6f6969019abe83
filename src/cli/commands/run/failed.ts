import { countOf } from '../../../text/plural.ts';
import { eachFailedJob, groupFailedJobs } from '../../../tasks/repair/failed.ts';
import { assertBatch } from '../../../tasks/batch/progress.ts';
import { lineWidth, printJson, fitLine } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet failed`. */
export async function runFailedCommand(options: { batch?: string; session?: string; json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db, queues } }) => {
    const { batch, session } = options;
    if (batch !== undefined) await assertBatch(db, batch);
    const own = session === undefined ? {} : { session };
    const filter = batch === undefined ? own : { ...own, batch };
    const groups = await groupFailedJobs(eachFailedJob(db, queues.tasks, filter), batch === undefined ? {} : { batch });
    // Questions and missions belong to no batch.
    const questions = batch === undefined ? await groupFailedJobs(eachFailedJob(db, queues.archive, own)) : [];
    const missions =
      batch === undefined ? await groupFailedJobs(eachFailedJob(db, queues.missions, own), { isMission: true }) : [];
    const shown = [
      ...groups.map((group) => ({ ...group, noun: 'task' })),
      ...questions.map((group) => ({ ...group, noun: 'question' })),
      ...missions.map((group) => ({ ...group, noun: 'mission' })),
    ];
    if (options.json) return printJson(shown.map(({ noun: _noun, ...group }) => group));
    if (shown.length === 0) return console.log(`Nothing${describeFilter(options)} has failed.`);
    for (const group of shown) {
      console.log(`❌ ${group.reason}: ${countOf(group.count, group.noun)}`);
      for (const job of group.examples) {
        console.log(`   ${job.id}  ${job.failedAt.slice(0, 19)}Z  ${fitLine(job.description, 60)}`);
        console.log(`      ${fitLine(job.text, Math.max(40, lineWidth() - 6))}`);
      }
      console.log(`   ➜ ${group.repair}`);
    }
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
