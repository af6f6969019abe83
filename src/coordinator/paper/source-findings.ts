import type { ArchiveFilter } from '../../../queues/archive.ts';
import { createFindingStore } from '../../findings/store.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { createArchiveContext } from '../../librarian/archive/context.ts';
import { fitTexts } from '../calls/fit-texts.ts';
import { SHARD_TEST_KIND } from '../../findings/finding.ts';
import type { Db } from '../../redis/db.ts';

/** A finding as a section's writer is shown it. */
export interface SourceFinding {
  id: string;
  kind: string;
  text: string;
}

/** Of all findings of one call together, UTF-8: some 30,000 tokens, all of it paid for. */
const MOST_BYTES = 90_000;

/** Texts held while findings are chosen: a coordinator is a small process. */
const HOLD_BYTES = 32 * 2 ** 20;

/**
 * Chooses findings without a librarian: those that share words with what is asked, the rarest words first, as many as fit.
 * Reads the whole index once, in pages.
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

/** Reads findings by id. What is gone, retracted or a shard test is left out; long texts are cut evenly to fit. */
export async function readSources(db: Db, ids: readonly string[]): Promise<SourceFinding[]> {
  const store = createFindingStore(db);
  const found: StoredFinding[] = [];
  for (const id of ids) {
    const finding = await store.get(id);
    if (finding === null || finding.status === 'retracted' || finding.kind === SHARD_TEST_KIND) continue;
    found.push(finding);
  }
  const { texts } = fitTexts(found.map(toText), MOST_BYTES);
  return found.map((finding, at) => ({ id: finding.finding_id, kind: finding.kind ?? 'other', text: texts[at] ?? '' }));
}

/** What was asked on the first line, then what was found. */
function toText({ task, result }: StoredFinding): string {
  const asked = ((task ?? '').trim().split('\n')[0] ?? '').slice(0, 200);
  const said = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
  return `${asked}\n${said}`;
}
