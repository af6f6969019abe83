import { readPatchStart } from '../../src/patches/record.ts';
import type { PatchRecord } from '../../src/patches/types.ts';
import type { Db } from '../../src/redis/db.ts';
import { readDiff } from './read-diff.ts';
import type { DiffBounds } from './types.ts';
import { toVisible } from '../access/visible-text.ts';

/** Longest text that is read for a page. Bytes. */
const TEXT_READ = 2 * 1024 * 1024;
const BOUNDS: DiffBounds = { files: 300, lines: 5_000, linesOfFile: 1_000, lineLength: 2_000 };
/** Most paths of each kind that are named. */
const PATHS_NAMED = 100;

/** One line of a list of patches. */
export function toPatchRow(record: PatchRecord) {
  const { findingId, state, workspace, changes, added, removed, createdAt } = record;
  return {
    id: findingId,
    state,
    workspace,
    subject: subjectOf(record),
    files: changes.length,
    added,
    removed,
    createdAt,
  };
}

/** What the page of a patch shows. Names and contents come from tasks: what no one would see in them is made visible. */
export function toPatchPage(record: PatchRecord) {
  const { taskId, base, head, branch, batch, missionId, host, leftOut, conflict, applied, undone } = record;
  const named = leftOut.slice(0, PATHS_NAMED);
  return {
    ...toPatchRow(record),
    taskId,
    base,
    head,
    branch,
    batch,
    missionId,
    host,
    applied,
    undone,
    buildsOn: record.buildsOn,
    leftOut: named.map(({ path, why }) => ({ path: toVisible(path), why: toVisible(why) })),
    leftOutCount: leftOut.length,
    conflict: conflict && {
      paths: conflict.paths.slice(0, PATHS_NAMED).map(toVisible),
      why: toVisible(conflict.why),
      at: conflict.at,
    },
  };
}

/** First line of the commit that applying the patch makes. */
function subjectOf({ message }: PatchRecord): string {
  return toVisible(message.split('\n', 1)[0] ?? '');
}

/**
 * Reads what a patch changes, as far as a page shows it.
 * @returns files as in the record, with the lines that were read; `isKept` false: Redis does not hold the text
 */
export async function readPatchDiff(db: Db, { findingId, changes }: PatchRecord) {
  const start = await readPatchStart(db, findingId, TEXT_READ);
  const read = start === null ? [] : readDiff(start.text.toString('utf8'), start.isWhole, BOUNDS);
  const byPath = new Map(read.map((file) => [file.path, file]));
  const counts = new Map(changes.map(({ path, added, removed }) => [path, { added, removed }]));
  for (const { path } of read) if (!counts.has(path)) counts.set(path, { added: 0, removed: 0 });
  const files = [...counts].slice(0, BOUNDS.files).map(([path, { added, removed }]) => {
    const { notes = [], isBinary = false, lines = [], isCut = true } = byPath.get(path) ?? {};
    const shown = lines.map((line) => ({ ...line, text: toVisible(line.text) }));
    return { path: toVisible(path), added, removed, notes, isBinary, lines: shown, isCut };
  });
  return { isKept: start !== null, files, filesCount: counts.size };
}
