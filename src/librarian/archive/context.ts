import type { ArchiveFilter } from '../../../queues/archive.ts';
import { readFindingTexts } from '../../findings/read-texts.ts';
import { toArchiveEntry, type ArchiveEntry } from './entry.ts';
import { readChanges, readIndex } from './changes.ts';
import { chooseEntries, fitsFilter } from './ranking.ts';
import type { Db } from '../../redis/db.ts';

/** Findings read in one command. */
const PAGE = 500;
/** Texts held in memory, UTF-8 bytes, the newest findings'; several times what any model is shown. */
const HOLD_BYTES = 64 * 2 ** 20;

/** What one question is answered from. */
export interface ShownContext {
  /** One block a finding, oldest first. */
  text: string;
  ids: ReadonlySet<string>;
  /** What an answer may cite: `ids`, and the findings that shown summaries stand for and name. */
  citable: ReadonlySet<string>;
  bytes: number;
  /** Findings that fit the filter but not the limit; null: none. */
  leftOut: { count: number; bytes: number } | null;
}

interface ContextRequest {
  question: string;
  filter?: ArchiveFilter | undefined;
  /** UTF-8 bytes that may be shown. */
  maxBytes: number;
}

export interface ArchiveContext {
  /** Takes in what happened since the last call; whatever was recorded before it was called is known after it. */
  refresh(): Promise<void>;
  /** @throws whatever Redis does, where texts must be read again */
  show(request: ContextRequest): Promise<ShownContext>;
  stats(): ContextStats;
}

export interface ContextStats {
  findings: number;
  /** UTF-8 bytes of all blocks, held in memory or not. */
  bytes: number;
  /** Index entries that are no evidence: unreadable, condensed, or gone. */
  skipped: number;
  /** How often the whole index was compared: once at the start, then only when the event stream had a gap. */
  comparisons: number;
}

/**
 * Every live finding, oldest first, kept current from the event stream: each finding is read once. New ones are put at
 * the end whatever their time, so that what the provider was shown before stays the beginning of what it is shown next,
 * and its cache hits; a process that starts sorts by time.
 */
export function createArchiveContext(db: Db, options: { holdBytes?: number } = {}): ArchiveContext {
  const holdBytes = options.holdBytes ?? HOLD_BYTES;
  const entries = new Map<string, ArchiveEntry>();
  const skipped = new Set<string>();
  const stats: ContextStats = { findings: 0, bytes: 0, skipped: 0, comparisons: 0 };
  let cursor: string | null = null; // last event taken in; null: nothing was read yet
  let heldBytes = 0;
  let whole: { text: string; ids: Set<string> } | null = null; // all blocks as one text, while nothing but additions happen
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  function put(id: string, entry: ArchiveEntry | null): void {
    const known = entries.get(id);
    if (known !== undefined && known.block !== null && known.block === entry?.block) return;
    if (known !== undefined) {
      stats.bytes -= known.bytes;
      if (known.block !== null) heldBytes -= known.bytes;
      whole = null;
    }
    if (entry === null) {
      entries.delete(id);
      skipped.add(id);
      return;
    }
    skipped.delete(id);
    entries.set(id, entry);
    stats.bytes += entry.bytes;
    heldBytes += entry.bytes;
    if (whole !== null) {
      whole.text += entry.block ?? '';
      whole.ids.add(id);
    }
    if (heldBytes > holdBytes) letGo();
  }

  function remove(id: string): void {
    put(id, null);
    skipped.delete(id);
  }

  /** Forgets the texts of the oldest findings; a filter that asks for them reads them again. */
  function letGo(): void {
    for (const entry of entries.values()) {
      if (heldBytes <= holdBytes * 0.9) return;
      if (entry.block === null) continue;
      entry.block = null;
      heldBytes -= entry.bytes;
    }
  }

  async function load(ids: readonly string[]): Promise<void> {
    const read = (from: number) => readFindingTexts(db, ids.slice(from, from + PAGE));
    let reading = ids.length > 0 ? read(0) : null;
    for (let from = 0; reading !== null; from += PAGE) {
      const texts: (string | null)[] = await reading;
      reading = from + PAGE < ids.length ? read(from + PAGE) : null; // Redis sends the next page while this one is read
      reading?.catch(() => undefined); // thrown where it is awaited
      for (const [at, text] of texts.entries()) {
        const id = ids[from + at] ?? '';
        put(id, text === null ? null : toArchiveEntry(id, text));
      }
    }
  }

  /** Compares with the whole index. @param fresh reads everything anew: a change may have been missed */
  async function compare(fresh: boolean): Promise<void> {
    stats.comparisons += 1;
    const index = await readIndex(db);
    const live = new Set(index.ids);
    for (const id of [...entries.keys(), ...skipped]) if (fresh || !live.has(id)) remove(id);
    await load(index.ids.filter((id) => !entries.has(id) && !skipped.has(id)));
    cursor = index.lastEvent;
  }

  async function takeIn(): Promise<void> {
    if (cursor === null) return compare(true);
    const changes = await readChanges(db, cursor);
    if (changes === 'gap') return compare(true);
    for (const id of changes.gone) remove(id);
    await load(changes.live);
    cursor = changes.lastEvent;
    if (entries.size + skipped.size !== changes.count) await compare(false);
  }

  async function show({ question, filter, maxBytes }: ContextRequest): Promise<ShownContext> {
    const isWhole = filter === undefined || Object.values(filter).every((value) => value === undefined);
    if (isWhole && stats.bytes <= maxBytes && heldBytes === stats.bytes) return showWhole();
    const fitting = [...entries.values()].filter((entry) => isWhole || fitsFilter(entry, filter));
    const bytes = sumBytes(fitting);
    const chosen = bytes <= maxBytes ? fitting : chooseEntries(fitting, { question, maxBytes });
    const shownBytes = sumBytes(chosen);
    const blocks = await readBlocks(chosen);
    return {
      text: blocks.join(''),
      ids: new Set(chosen.map((entry) => entry.id)),
      citable: toCitable(chosen),
      bytes: shownBytes,
      leftOut:
        chosen.length === fitting.length ? null : { count: fitting.length - chosen.length, bytes: bytes - shownBytes },
    };
  }

  function showWhole(): ShownContext {
    whole ??= {
      text: [...entries.values()].map((entry) => entry.block ?? '').join(''),
      ids: new Set(entries.keys()),
    };
    const citable = toCitable([...entries.values()]);
    return { text: whole.text, ids: new Set(whole.ids), citable, bytes: stats.bytes, leftOut: null };
  }

  async function readBlocks(chosen: ArchiveEntry[]): Promise<string[]> {
    const absent = chosen.filter((entry) => entry.block === null).map((entry) => entry.id);
    const read = new Map<string, string>();
    for (let from = 0; from < absent.length; from += PAGE) {
      const page = absent.slice(from, from + PAGE);
      const texts = await readFindingTexts(db, page);
      for (const [at, id] of page.entries()) read.set(id, toArchiveEntry(id, texts[at] ?? '')?.block ?? '');
    }
    return chosen.map((entry) => entry.block ?? read.get(entry.id) ?? '');
  }

  return {
    refresh() {
      // One runs; all who ask meanwhile share the next, which begins after they asked.
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = null;
          running = takeIn();
          return running;
        });
      return next;
    },
    show,
    stats: () => ({ ...stats, findings: entries.size, skipped: skipped.size }),
  };
}

function toCitable(shown: readonly ArchiveEntry[]): Set<string> {
  const citable = new Set<string>();
  for (const { id, sources } of shown) {
    citable.add(id);
    for (const source of sources) citable.add(source);
  }
  return citable;
}

function sumBytes(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.bytes, 0);
}
