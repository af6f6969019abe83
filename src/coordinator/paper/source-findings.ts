import { toNotes } from '../../findings/marks.ts';
import type { ArchiveFilter } from '../../../queues/archive.ts';
import { createFindingStore } from '../../findings/store.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { createArchiveContext } from '../../librarian/archive/context.ts';
import { fitTexts } from '../calls/fit-texts.ts';
import { SHARD_TEST_KIND } from '../../findings/finding.ts';
import type { Db } from '../../redis/db.ts';
import { startOf } from '../../text/start-of.ts';

/** A finding as the writer of a section sees it. */
export interface SourceFinding {
  id: string;
  kind: string;
  text: string;
}

/** Most UTF-8 bytes of all findings of one call: about 30,000 tokens, all of them paid. */
const MOST_BYTES = 90_000;

/** Most bytes of texts held in memory while findings are chosen. */
const HOLD_BYTES = 32 * 2 ** 20;

/**
 * Chooses findings without a librarian: those that share words with the question, rare words first, as many as fit. Reads
 * the whole index once, in pages.
 */
export async function chooseFindings(
  db: Db,
  asked: { question: string; filter?: ArchiveFilter | undefined; maxBytes: number },
): Promise<string[]> {
  const context = createArchiveContext(db, { maxHeldBytes: HOLD_BYTES });
  await context.refresh();
  const { ids } = await context.show(asked);
  return [...ids];
}

/** Reads findings by id, without missing and retracted ones and shard tests. Cuts long texts to one length, so that all fit. */
export async function readSources(db: Db, ids: readonly string[]): Promise<SourceFinding[]> {
  const store = createFindingStore(db);
  const found: StoredFinding[] = [];
  for (const id of ids) {
    const finding = await store.get(id);
    if (finding === null || finding.status === 'retracted' || finding.kind === SHARD_TEST_KIND) continue;
    found.push(finding);
  }
  const { texts } = fitTexts(found.map(toText), MOST_BYTES);
  return found.map((finding, i) => ({ id: finding.finding_id, kind: finding.kind ?? 'other', text: texts[i] ?? '' }));
}

/** The task on the first line, what must be known before the result, then the result. */
function toText(finding: StoredFinding): string {
  const { task, result } = finding;
  const notes = toNotes(finding);
  const firstLine = startOf((task ?? '').trim().split('\n')[0] ?? '', 200);
  const found = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
  return [firstLine, ...(notes === '' ? [] : [notes]), found].join('\n');
}
