import { UsageError } from '../../../errors.ts';
import { countOf } from '../../../text/plural.ts';
import { listAnswersCiting, retractFinding } from '../../../findings/retract.ts';
import { lineWidth, printJson, fitLine } from '../../output/print.ts';
import { currentUser } from '../../../swarm/current-user.ts';
import { withFleet } from '../../input/with-fleet.ts';

/** Does `fleet findings retract`. */
export async function runFindingsRetractCommand(
  given: string,
  options: { why: string; json?: boolean },
): Promise<void> {
  const id = given.replace(/^finding:/, '');
  await withFleet(async ({ inner: { db } }) => {
    if (options.why.trim() === '') throw new UsageError('--why: expected a reason in words; it stays with the finding');
    const retraction = await retractFinding(db, { id, why: options.why, by: currentUser() });
    const citing = await listAnswersCiting(db, id);
    if (options.json) {
      return printJson({ ...retraction, cited_by: citing.map((answer) => answer.finding_id) });
    }
    console.log(`Retracted ${id}: no librarian is shown it any more.`);
    if (retraction.restored > 0) {
      console.log(`${countOf(retraction.restored, 'finding')} of the summary it took with it are live again.`);
    }
    if (citing.length === 0) return console.log('No answer cited it.');
    console.log(`${countOf(citing.length, 'answer')} cited it; ask again where it matters:`);
    for (const answer of citing) {
      const head = `  ${answer.finding_id}  ${answer.at.slice(0, 16).replace('T', ' ')}  `;
      console.log(head + fitLine(answer.task ?? '', Math.max(30, lineWidth() - head.length)));
    }
  });
}
