import type { ArchiveEntry } from './entry.ts';

/** All blocks of findings without a memory shard as one text, in the order of the findings. */
interface WholeText {
  text: string;
  ids: Set<string>;
}

/**
 * Every live finding that a librarian knows, in the order in which it shows them. It holds the texts of the newest
 * findings, at most `maxHeldBytes`; a filter that asks for an older finding reads its text again.
 */
export class HeldEntries {
  readonly #maxHeldBytes: number;
  readonly #entries = new Map<string, ArchiveEntry>();
  readonly #skipped = new Set<string>();
  #bytes = 0;
  #openBytes = 0; // of the findings that belong to no memory shard
  #heldBytes = 0;
  #restrictedCount = 0;
  #whole: WholeText | null = null; // kept while findings are only added

  /** @param maxHeldBytes UTF-8 bytes */
  constructor(maxHeldBytes: number) {
    this.#maxHeldBytes = maxHeldBytes;
  }

  /** UTF-8 bytes of all blocks, held in memory or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The same of the findings that belong to no memory shard. */
  get openBytes(): number {
    return this.#openBytes;
  }

  /** Whether some findings may not be sent to all vendors. */
  get isRestricted(): boolean {
    return this.#restrictedCount > 0;
  }

  get findingCount(): number {
    return this.#entries.size;
  }

  /** Index entries that are not evidence. */
  get skippedCount(): number {
    return this.#skipped.size;
  }

  /** Ids of findings and of skipped index entries. */
  ids(): string[] {
    return [...this.#entries.keys(), ...this.#skipped];
  }

  has(id: string): boolean {
    return this.#entries.has(id) || this.#skipped.has(id);
  }

  /** The findings of one memory shard; null: those that belong to none. No call returns findings of two. */
  of(shard: string | null): ArchiveEntry[] {
    return [...this.#entries.values()].filter((entry) => entry.shard === shard);
  }

  /** Of the findings that belong to no memory shard. @returns null while some texts are not held */
  whole(): WholeText | null {
    if (this.#heldBytes !== this.#bytes) return null;
    this.#whole ??= {
      text: this.of(null)
        .map((entry) => entry.block ?? '')
        .join(''),
      ids: new Set(this.of(null).map(({ id }) => id)),
    };
    return this.#whole;
  }

  /** Adds or replaces what an index entry holds. @param entry null: it is not evidence */
  put(id: string, entry: ArchiveEntry | null): void {
    const known = this.#entries.get(id);
    const isSame = known !== undefined && known.block !== null && known.block === entry?.block;
    if (isSame && known.shard === entry?.shard && known.vendors?.join() === entry?.vendors?.join()) return;
    if (known !== undefined) this.#subtract(known);
    if (entry === null) {
      this.#entries.delete(id);
      this.#skipped.add(id);
      return;
    }
    this.#skipped.delete(id);
    this.#entries.set(id, entry);
    if (entry.vendors !== undefined) this.#restrictedCount += 1;
    this.#bytes += entry.bytes;
    if (entry.shard === null) this.#openBytes += entry.bytes;
    this.#heldBytes += entry.bytes;
    if (this.#whole !== null && entry.shard === null) {
      this.#whole.text += entry.block ?? '';
      this.#whole.ids.add(id);
    }
    if (this.#heldBytes > this.#maxHeldBytes) this.#dropTexts();
  }

  remove(id: string): void {
    this.put(id, null);
    this.#skipped.delete(id);
  }

  #subtract(entry: ArchiveEntry): void {
    this.#bytes -= entry.bytes;
    if (entry.vendors !== undefined) this.#restrictedCount -= 1;
    if (entry.shard === null) this.#openBytes -= entry.bytes;
    if (entry.block !== null) this.#heldBytes -= entry.bytes;
    this.#whole = null;
  }

  /** Drops the texts of the oldest findings until a tenth of the room is free. */
  #dropTexts(): void {
    for (const entry of this.#entries.values()) {
      if (this.#heldBytes <= this.#maxHeldBytes * 0.9) return;
      if (entry.block === null) continue;
      entry.block = null;
      this.#heldBytes -= entry.bytes;
    }
  }
}
