import { readFindingTexts } from '../../findings/stored.ts';
import { whileHeapGrows } from '../../process/heap-size.ts';
import type { Db } from '../../redis/db.ts';
import { readChanges, readIndex } from './changes.ts';
import type { ArchiveEntry } from './entry.ts';
import type { HeldEntries } from './held-entries.ts';

/** Findings read in one command. */
const PAGE = 500;
/** So many findings change the size of the heap. */
const MANY = 5_000;

/** Keeps entries equal to the index of live findings. */
export interface IndexFollower {
  /** Takes in all changes that were recorded before the call. */
  refresh(): Promise<void>;
  /** How often it compared the whole index: once at the start, then only where the event stream had a gap. */
  comparisonCount(): number;
}

/** Follows the event stream, so that each finding is read once. New findings come last, whatever their time. */
export function followIndex(
  db: Db,
  entries: HeldEntries,
  toEntry: (id: string, text: string) => ArchiveEntry | null,
): IndexFollower {
  let comparisonCount = 0;
  let cursor: string | null = null; // the last event that was taken in; null: nothing was read yet
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  async function load(ids: readonly string[]): Promise<void> {
    const read = (from: number) => readFindingTexts(db, ids.slice(from, from + PAGE));
    let reading = ids.length > 0 ? read(0) : null;
    for (let from = 0; reading !== null; from += PAGE) {
      const texts: (string | null)[] = await reading;
      // Redis sends the next page while this one is parsed.
      reading = from + PAGE < ids.length ? read(from + PAGE) : null;
      reading?.catch(() => undefined); // thrown where it is awaited
      for (const [i, text] of texts.entries()) {
        const id = ids[from + i] ?? '';
        entries.put(id, text === null ? null : toEntry(id, text));
      }
    }
  }

  /**
   * Compares with the whole index.
   * @param options.readAgain reads every finding again: a change may have been missed
   */
  async function compare({ readAgain }: { readAgain: boolean }): Promise<void> {
    comparisonCount += 1;
    const index = await readIndex(db);
    const live = new Set(index.ids);
    for (const id of entries.ids()) if (readAgain || !live.has(id)) entries.remove(id);
    const unread = index.ids.filter((id) => !entries.has(id));
    await (unread.length < MANY ? load(unread) : whileHeapGrows(() => load(unread)));
    cursor = index.lastEvent;
  }

  async function takeIn(): Promise<void> {
    const changes = cursor === null ? 'gap' : await readChanges(db, cursor);
    if (changes === 'gap') return compare({ readAgain: true });
    for (const id of changes.gone) entries.remove(id);
    await load(changes.live);
    cursor = changes.lastEvent;
    if (entries.findingCount + entries.skippedCount !== changes.count) await compare({ readAgain: false });
  }

  return {
    comparisonCount: () => comparisonCount,
    refresh() {
      // One refresh runs. All callers meanwhile share the next one, which begins after they called.
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = null;
          running = takeIn();
          return running;
        });
      return next;
    },
  };
}
