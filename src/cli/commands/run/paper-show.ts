import { readMissionHead } from '../../../coordinator/mission/record.ts';
import { describeReport } from '../../../coordinator/paper/assemble.ts';
import { readPaper, type PaperRecord } from '../../../coordinator/paper/record.ts';
import { NotFoundError } from '../../../errors.ts';
import { printJson } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet paper show`. */
export async function runPaperShowCommand(id: string, options: { json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db } }) => {
    const [mission, found] = [await readMissionHead(db, id), await readPaper(db, id)];
    if (found === null) throw new NotFoundError(`paper ${id}: no such paper, or it has not begun`);
    if (options.json === true) return printJson({ id, state: mission?.state ?? null, ...found });
    if (found.text !== null) return console.log(found.text.trimEnd());
    console.log(renderDrafts(found, mission?.problem ?? ''));
  });
}

/** The drafts of a paper that is not written yet. */
function renderDrafts({ outline, drafts, shards, stop }: PaperRecord, problem: string): string {
  const head = [
    `# ${outline?.title ?? '(no outline yet)'}`,
    `(${drafts.filter((draft) => draft !== null).length} of ${outline?.sections.length ?? '?'} sections are drafted)`,
    ...(shards === null ? [] : [`Shards: ${describeReport(shards)}`]),
    ...(stop === null ? [] : [`Blocked at ${stop.step} since ${stop.at}: ${problem === '' ? stop.detail : problem}`]),
  ];
  const sections = (outline?.sections ?? []).map(
    ({ title }, i) => `## ${title}\n\n${drafts[i]?.text ?? '(not written yet)'}`,
  );
  return [head.join('\n'), ...sections].join('\n\n');
}
