import { once } from 'node:events';
import { countOf, formatCount } from '../../../text/plural.ts';
import { eachStored } from '../../../findings/iterate.ts';
import { toExportLine } from '../../../findings/transfer/export-line.ts';
import { importFindings, type ImportCounts } from '../../../findings/transfer/import.ts';
import type { FindingQuery } from '../../../findings/types.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { EXIT } from '../../output/report-failure.ts';
import { openInputStream } from '../../input/files.ts';
import { withInterrupt } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';
import { showProgress } from '../../output/progress.ts';
import { writeAtomically } from '../../../files/atomic-write.ts';

/** Bad lines that are printed, and that the JSON report lists; further ones are only counted. */
const PROBLEMS_SHOWN = 20;
const PROBLEMS_KEPT = 100;

/** Writes every finding that matches as JSONL, oldest first, with its id as it is in its own swarm. @param path null: writes to the standard output, line by line */
export async function exportFindings({ inner }: OpenFleet, path: string | null, query: FindingQuery): Promise<void> {
  const { swarm } = query;
  const db = swarm === undefined ? inner.db : (await inner.others.open(swarm)).db;
  const progress = showProgress('Exporting', 0, 'findings');
  let count = 0;
  async function fill(write: (text: string) => Promise<void>): Promise<void> {
    for await (const found of eachStored(db, query)) {
      if (swarm !== undefined) await inner.others.open(swarm); // it may be shared no longer
      await write(db.redact(`${toExportLine(found)}\n`)); // older versions may have stored secrets
      count += 1;
      progress.update(count);
    }
  }
  try {
    if (path === null) return await fill(writeToOutput);
    await withInterrupt(`Interrupted. ${path} is as it was.`, () => writeAtomically(path, fill));
  } finally {
    progress.stop();
  }
  console.log(`Wrote ${countOf(count, 'finding')} to ${path}.`);
}

/** Imports a file of `--export`; findings that exist are not changed. @param path `-` reads the standard input */
export async function importFindingsFile(
  { inner }: OpenFleet,
  path: string,
  options: { json?: boolean },
): Promise<void> {
  const { db } = inner;
  await inner.assertMayAdd();
  const { chunks, size } = await openInputStream('--import', path);
  const progress = showProgress('Importing', size ?? 0, 'bytes');
  const problems: { line: number; problem: string }[] = [];
  let counts: ImportCounts | null = null;
  try {
    counts = await withInterrupt(
      'Interrupted. What was imported stays; the same command goes on where it was left.',
      () =>
        importFindings(db, chunks, {
          onBad(line, problem) {
            if (problems.length < PROBLEMS_KEPT) problems.push({ line, problem });
            if (problems.length <= PROBLEMS_SHOWN && options.json !== true) {
              console.error(`❌ line ${line}: ${problem}`);
            }
          },
          onProgress: ({ imported, known }, bytes) =>
            progress.update(bytes, `${formatCount(imported)} new, ${formatCount(known)} there already`),
        }),
    );
  } finally {
    progress.stop();
  }
  if (counts.bad > 0) process.exitCode = EXIT.failed;
  if (options.json === true) return printJson({ ...counts, problems });
  if (counts.bad > PROBLEMS_SHOWN) console.error(`❌ … and ${countOf(counts.bad - PROBLEMS_SHOWN, 'more bad line')}`);
  console.log(`Imported ${countOf(counts.imported, 'finding')} from ${path}${describeRest(counts)}.`);
}

function describeRest({ known, bad }: ImportCounts): string {
  return [
    ...(known > 0 ? [`; ${formatCount(known)} there already, left alone`] : []),
    ...(bad > 0 ? [`; ${countOf(bad, 'bad line')}`] : []),
  ].join('');
}

async function writeToOutput(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
