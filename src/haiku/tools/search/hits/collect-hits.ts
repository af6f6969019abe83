import { findLine } from './content.ts';
import type { Row } from '../engine/rows.ts';
import type { SearchContext } from '../engine/scope.ts';
import { createLineWriter } from './line-writer.ts';
import { showPath } from '../engine/show-path.ts';
import { openSource, type ReadAs, type Source } from './source.ts';

export interface HitRequest {
  output: 'lines' | 'files' | 'count';
  /** Most lines, or files, that are shown. */
  limit: number;
  /** Lines of context before and after each line. */
  around: number;
}

export interface Hits {
  /** Output lines. */
  shown: string[];
  /** Matching lines in text files. */
  lineCount: number;
  shownLines: number;
  /** Matching lines of each file, binary ones included, in the order found. */
  files: Map<string, number>;
  /** Binary files with the count of their lines. */
  binary: Map<string, number>;
  /** Files whose hits cannot be shown, with the reason. */
  unread: string[];
  /** False: collecting ended before the search, because enough was counted. */
  isWhole: boolean;
}

/** Lines that are counted beyond those that are shown. */
const COUNTED_LINES = 10_000;
/** Lines that `count` counts, and files that any output counts. */
const MOST_COUNTED = 1_000_000;

interface OpenFile {
  /** The same object for all rows of a file. */
  key: Buffer;
  readAs: ReadAs;
  /** Null: its hits are left out. */
  source: Source | null;
}

export const NO_HITS: Readonly<Hits> = {
  shown: [],
  lineCount: 0,
  shownLines: 0,
  files: new Map(),
  binary: new Map(),
  unread: [],
  isWhole: true,
};

export interface HitCollector {
  /** @returns false: nothing more is needed */
  take(rows: readonly Row[], source: ReadAs): Promise<boolean>;
  end(): Promise<Hits>;
  /** Closes the file that is open. It may be called twice. */
  close(): Promise<void>;
}

/**
 * Collects what ripgrep found. ripgrep only says where: each line is read again from a file that is opened without following a
 * link, and counts only if it is there. So nothing from outside the workspace is shown or counted.
 */
export function createHitCollector(request: HitRequest, context: SearchContext): HitCollector {
  const writer = createLineWriter(request.around);
  const hits: Hits = { ...NO_HITS, shown: writer.lines, files: new Map(), binary: new Map(), unread: [] };
  let open: OpenFile | null = null;

  async function takeRow(row: Row, readAs: ReadAs): Promise<void> {
    if (open?.key !== row.path || open.readAs !== readAs) {
      await writer.endFile();
      await open?.source?.file.close();
      open = { key: row.path, readAs, source: null };
      open.source = await openSource(row.path, readAs, context, noteUnread);
    }
    if (open.source === null) return;
    const { path, content } = open.source;
    const length = await findLine(content, row);
    if (isToShow(open.source, length)) {
      await writer.write(showPath(path), content, { ...row, length: length ?? 0 });
      hits.shownLines += 1;
    }
  }

  /** Counts a row without waiting, where it is one of many of a file. @returns false: `takeRow` must take it */
  function countRow(row: Row, readAs: ReadAs): boolean {
    if (open?.key !== row.path || open.readAs !== readAs) return false;
    if (open.source === null) return true;
    const length = findLine(open.source.content, row);
    if (length instanceof Promise || (length !== null && wantsMore())) return false;
    isToShow(open.source, length);
    return true;
  }

  /** Counts a line. @returns whether it is to be shown */
  function isToShow({ path, content }: Source, length: number | null): boolean {
    if (length === null) {
      noteUnread(`${showPath(path)} (changed meanwhile)`);
      return false;
    }
    hits.files.set(path, (hits.files.get(path) ?? 0) + 1);
    if (content.isBinary) {
      hits.binary.set(path, (hits.binary.get(path) ?? 0) + 1);
      return false;
    }
    hits.lineCount += 1;
    return wantsMore();
  }

  function wantsMore(): boolean {
    return request.output === 'lines' && hits.shownLines < request.limit && !writer.isFull();
  }

  function noteUnread(what: string): void {
    if (hits.unread.at(-1) !== what) hits.unread.push(what);
  }

  function isEnough(): boolean {
    if (hits.files.size >= MOST_COUNTED || hits.lineCount >= MOST_COUNTED) return true;
    return request.output === 'lines' && hits.lineCount > hits.shownLines + COUNTED_LINES;
  }

  return {
    async take(rows, readAs) {
      context.signal.throwIfAborted();
      for (const row of rows) {
        if (!countRow(row, readAs)) await takeRow(row, readAs);
        hits.isWhole = !isEnough();
        if (!hits.isWhole) return false;
      }
      return true;
    },
    async end() {
      await writer.endFile();
      return hits;
    },
    async close() {
      await open?.source?.file.close();
      open = null;
    },
  };
}
