import { mayRead, toNotes } from '../../findings/marks.ts';
import type { ArchiveFilter } from '../../../queues/archive.ts';
import { createFindingStore } from '../../findings/store.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { createArchiveContext } from '../../librarian/archive/context.ts';
import type { Mission } from '../step/types.ts';
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

/** For whom findings are read. */
export interface PaperReader {
  /** The paper's memory shard; null: none. */
  shard: string | null;
  /** The vendors that see what is written from them; null: all. */
  reader: readonly string[] | null;
}

/** The reader of a paper's sources. */
export function toPaperReader({ data, vendors }: Mission): PaperReader {
  return { shard: data.shard ?? null, reader: vendors };
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
  asked: { question: string; filter?: ArchiveFilter | undefined; maxBytes: number } & PaperReader,
): Promise<string[]> {
  const context = createArchiveContext(db, { maxHeldBytes: HOLD_BYTES });
  await context.refresh();
  const { ids } = await context.show(asked);
  return [...ids];
}

/**
 * Reads findings of one memory shard by id, without missing and retracted ones, shard tests, and what may not be sent wherever the
 * paper may. Cuts long texts to one length, so that all fit.
 */
export async function readSources(
  db: Db,
  ids: readonly string[],
  { shard, reader }: PaperReader,
): Promise<SourceFinding[]> {
  const store = createFindingStore(db);
  const found: StoredFinding[] = [];
  for (const id of ids) {
    const finding = await store.get(id);
    if (finding === null || (finding.shard ?? null) !== shard) continue;
    if (finding.status === 'retracted' || finding.kind === SHARD_TEST_KIND || !mayRead(reader, finding)) continue;
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
