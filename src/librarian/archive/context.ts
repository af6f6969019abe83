import type { ArchiveFilter } from '../../../queues/archive.ts';
import { mayRead } from '../../findings/marks.ts';
import { readFindingTexts } from '../../findings/stored.ts';
import type { Db } from '../../redis/db.ts';
import { toForeignId } from '../../other-swarms/foreign-id.ts';
import { toArchiveEntry, type ArchiveEntry, type EntrySource } from './entry.ts';
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
  /** Absent: no other swarm was asked for. */
  swarms?: ShownSwarms;
}

/** What a question to other swarms was answered from. */
export interface ShownSwarms {
  /** The swarms that could not be read, and why. */
  notRead: { name: string; why: string }[];
  /** Those that were read and whose work is simulated. */
  simulated: string[];
}

export interface ContextRequest {
  question: string;
  filter?: ArchiveFilter | undefined;
  /** Shows only findings of this memory shard; null: only those that belong to none. Default null. */
  shard?: string | null;
  /** Shows no finding from which others than these vendors would learn; null: all learn of what is shown. Default null. */
  reader?: readonly string[] | null | undefined;
  /** UTF-8 bytes that may be shown. */
  maxBytes: number;
}

/** The archive as one librarian holds it in memory. */
export interface ArchiveContext {
  /** Takes in all changes that were recorded before the call. */
  refresh(): Promise<void>;
  /** @throws Redis' errors, where texts must be read again */
  show(request: ContextRequest): Promise<ShownContext>;
  /** The entries that fit the filter, in the order in which they are shown. */
  select(request: Pick<ContextRequest, 'filter' | 'shard' | 'reader'>): ArchiveEntry[];
  /** The texts of entries of `select`, in the same order. @throws Redis' errors, where texts must be read again */
  readBlocks(chosen: readonly ArchiveEntry[]): Promise<string[]>;
  /** Findings of a memory shard; null: those that belong to none. */
  count(shard: string | null): number;
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
 * @param options.vendors of the models that are shown it: what may not be sent to one of them is left out. Default: none
 * @param options.source the other swarm whose archive it is; default: this swarm's
 */
export function createArchiveContext(
  db: Db,
  options: { maxHeldBytes?: number; source?: EntrySource; vendors?: readonly string[] } = {},
): ArchiveContext {
  const { source, vendors = [] } = options;
  const toEntry = (id: string, text: string): ArchiveEntry | null => {
    const entry = toArchiveEntry(id, text, source);
    return entry !== null && mayRead(vendors, entry) ? entry : null;
  };
  const entries = new HeldEntries(options.maxHeldBytes ?? MAX_HELD_BYTES);
  const follower = followIndex(db, entries, toEntry);

  function select({
    filter,
    shard = null,
    reader = null,
  }: Pick<ContextRequest, 'filter' | 'shard' | 'reader'>): ArchiveEntry[] {
    const all = entries.of(shard);
    const fitting = entries.isRestricted ? all.filter((entry) => mayRead(reader, entry)) : all;
    return filter === undefined ? fitting : fitting.filter((entry) => fitsFilter(entry, filter));
  }

  async function show({
    question,
    filter,
    shard = null,
    reader = null,
    maxBytes,
  }: ContextRequest): Promise<ShownContext> {
    const isUnfiltered = filter === undefined || Object.values(filter).every((value) => value === undefined);
    const isOpen = shard === null && isUnfiltered && !entries.isRestricted;
    const whole = isOpen && entries.openBytes <= maxBytes ? entries.whole() : null;
    if (whole !== null) {
      const { text, ids } = whole;
      return { text, ids: new Set(ids), citable: toCitable(entries.of(null)), bytes: entries.openBytes, leftOut: null };
    }
    const fitting = select({ filter, shard, reader });
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
      const ids = source === undefined ? page : page.map((id) => id.slice(toForeignId(source.name, '').length));
      const texts = await readFindingTexts(db, ids);
      for (const [i, id] of page.entries()) read.set(id, toEntry(ids[i] ?? '', texts[i] ?? '')?.block ?? '');
    }
    return chosen.map((entry) => entry.block ?? read.get(entry.id) ?? '');
  }

  return {
    refresh: () => follower.refresh(),
    show,
    select,
    readBlocks,
    count: (shard) => entries.of(shard).length,
    stats: () => ({
      findings: entries.findingCount,
      bytes: entries.bytes,
      skipped: entries.skippedCount,
      comparisons: follower.comparisonCount(),
    }),
  };
}

export function toCitable(shown: readonly ArchiveEntry[]): Set<string> {
  const citable = new Set<string>();
  for (const { id, sources } of shown) {
    citable.add(id);
    for (const source of sources) citable.add(source);
  }
  return citable;
}

export function sumBytes(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, entry) => sum + entry.bytes, 0);
}
