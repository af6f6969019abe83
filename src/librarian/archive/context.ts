import type { ArchiveFilter } from '../../../queues/archive.ts';
import { readFindingTexts } from '../../findings/stored.ts';
import type { Db } from '../../redis/db.ts';
import { toArchiveEntry, type ArchiveEntry } from './entry.ts';
import { followIndex } from './follow-index.ts';
import { HeldEntries } from './held-entries.ts';
import { chooseEntries, fitsFilter } from './ranking.ts';

/** Findings read in one command. */
const PAGE = 500;
/** Texts of findings held in memory, UTF-8 bytes: several times what any model is shown. */
const MAX_HELD_BYTES = 64 * 2 ** 20;

/** The findings that one question is answered from. */
export interface ShownContext {
  /** One block a finding, oldest first. */
  text: string;
  ids: ReadonlySet<string>;
  /** The ids that an answer may cite: `ids`, and the findings that shown summaries replace. */
  citable: ReadonlySet<string>;
  /** UTF-8 bytes of the text. */
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

/** The archive as one librarian holds it in memory. */
export interface ArchiveContext {
  /** Takes in all changes that were recorded before the call. */
  refresh(): Promise<void>;
  /** @throws Redis' errors, where texts must be read again */
  show(request: ContextRequest): Promise<ShownContext>;
  stats(): ContextStats;
}

export interface ContextStats {
  findings: number;
  /** UTF-8 bytes of all blocks, held in memory or not. */
  bytes: number;
  /** Index entries that are not evidence: unreadable, condensed, or gone. */
  skipped: number;
  /** How often the whole index was compared: once at the start, then only where the event stream had a gap. */
  comparisons: number;
}

/**
 * Opens the context of one process. It shows all live findings, oldest first. A finding that is stored later comes
 * last, whatever its time: then the prompt begins as the previous one did, and the provider's cache has that
 * beginning.
 * @param options.maxHeldBytes texts held in memory, UTF-8 bytes; default 64 MiB
 */
export function createArchiveContext(db: Db, options: { maxHeldBytes?: number } = {}): ArchiveContext {
  const entries = new HeldEntries(options.maxHeldBytes ?? MAX_HELD_BYTES);
  const follower = followIndex(db, entries);

  async function show({ question, filter, maxBytes }: ContextRequest): Promise<ShownContext> {
    const isUnfiltered = filter === undefined || Object.values(filter).every((value) => value === undefined);
    const whole = isUnfiltered && entries.bytes <= maxBytes ? entries.whole() : null;
    if (whole !== null) {
      const { text, ids } = whole;
      return { text, ids: new Set(ids), citable: toCitable(entries.all()), bytes: entries.bytes, leftOut: null };
    }
    const fitting = entries.all().filter((entry) => isUnfiltered || fitsFilter(entry, filter));
    const bytes = sumBytes(fitting);
    const chosen = bytes <= maxBytes ? fitting : chooseEntries(fitting, { question, maxBytes });
    const shownBytes = sumBytes(chosen);
    const leftOutCount = fitting.length - chosen.length;
    return {
      text: (await readBlocks(chosen)).join(''),
      ids: new Set(chosen.map((entry) => entry.id)),
      citable: toCitable(chosen),
      bytes: shownBytes,
      leftOut: leftOutCount === 0 ? null : { count: leftOutCount, bytes: bytes - shownBytes },
    };
  }

  async function readBlocks(chosen: readonly ArchiveEntry[]): Promise<string[]> {
    const dropped = chosen.filter((entry) => entry.block === null).map((entry) => entry.id);
    const read = new Map<string, string>();
    for (let from = 0; from < dropped.length; from += PAGE) {
      const page = dropped.slice(from, from + PAGE);
      const texts = await readFindingTexts(db, page);
      for (const [i, id] of page.entries()) read.set(id, toArchiveEntry(id, texts[i] ?? '')?.block ?? '');
    }
    return chosen.map((entry) => entry.block ?? read.get(entry.id) ?? '');
  }

  return {
    refresh: () => follower.refresh(),
    show,
    stats: () => ({
      findings: entries.findingCount,
      bytes: entries.bytes,
      skipped: entries.skippedCount,
      comparisons: follower.comparisonCount(),
    }),
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
