import { findLine, type Content } from './content.ts';
import type { Row } from '../engine/rows.ts';
import type { SearchContext } from '../engine/scope.ts';
import { showLine, showLinesAfter, showLinesBefore } from './show-line.ts';
import { showPath } from '../engine/show-path.ts';
import { openSource, type Source } from './source.ts';

export interface HitRequest {
  output: 'lines' | 'files' | 'count';
  /** Most lines, or files, that are shown. */
  limit: number;
  /** Lines of context before and after each line. */
  around: number;
  /** Paths that may be shown, besides guarded names. Null: all. */
  visible: ReadonlySet<string> | null;
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

/** Most bytes of shown lines. */
const SHOWN_BYTES = 40_000;
/** Lines that are counted beyond those that are shown. */
const COUNTED_LINES = 10_000;
/** Lines that `count` counts, and files that any output counts. */
const MOST_COUNTED = 1_000_000;

interface OpenFile {
  key: Buffer;
  /** Null: its hits are left out. */
  source: Source | null;
}

/**
 * Collects what ripgrep found. ripgrep only says where: each line is read again from a file that is opened without following a
 * link, and counts only if it is there. So nothing from outside the workspace is shown or counted.
 */
export function createHitCollector(
  request: HitRequest,
  context: SearchContext,
): {
  /** @returns false: nothing more is needed */
  take(rows: readonly Row[]): Promise<boolean>;
  end(): Promise<Hits>;
  /** Closes the file that is open. It may be called twice. */
  close(): Promise<void>;
} {
  const hits: Hits = {
    shown: [],
    lineCount: 0,
    shownLines: 0,
    files: new Map(),
    binary: new Map(),
    unread: [],
    isWhole: true,
  };
  let open: OpenFile | null = null;
  let bytes = 0;
  let lastShown = { path: '', line: 0 };

  async function takeRow(row: Row): Promise<void> {
    await showAfter(row);
    if (open === null || !open.key.equals(row.path)) {
      await open?.source?.file.close();
      open = { key: row.path, source: null };
      open.source = await openSource(row.path, request.visible, context, noteUnread);
    }
    if (open.source === null) return;
    const length = await findLine(open.source.content, row);
    if (isCounted(open.source, length)) await show(open.source, { ...row, length: length ?? 0 });
  }

  /** Counts a row without waiting, where it is one of many of a file. @returns false: `takeRow` must take it */
  function countRow(row: Row): boolean {
    if (open === null || open.key !== row.path || pending !== null) return false;
    if (open.source === null) return true;
    const length = findLine(open.source.content, row);
    if (length instanceof Promise) return false;
    if (wantsMore() && length !== null) return false;
    isCounted(open.source, length);
    return true;
  }

  /** Counts a line. @returns whether it is to be shown */
  function isCounted({ path, content }: Source, length: number | null): boolean {
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
    return request.output === 'lines' && hits.shownLines < request.limit && bytes <= SHOWN_BYTES;
  }

  async function show({ path, content }: Source, row: Row): Promise<void> {
    const { around } = request;
    const name = showPath(path);
    const isSame = lastShown.path === path;
    const gap = isSame ? row.line - lastShown.line - 1 : Infinity;
    const before = await showLinesBefore(content, row.offset, Math.min(around, gap));
    if (around > 0 && hits.shown.length > 0 && gap > before.length) hits.shown.push('--');
    const lines = before.map((text, at) => `${name}-${row.line - before.length + at}-${text}`);
    lines.push(`${name}:${row.line}:${await showLine(content, row)}`);
    hits.shown.push(...lines);
    hits.shownLines += 1;
    bytes += lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    lastShown = { path, line: row.line };
    pending = around === 0 ? null : { name, content, row };
  }

  /** The match whose following lines are not shown yet: the next match may be among them. */
  let pending: { name: string; content: Content; row: Row } | null = null;

  async function showAfter(next: Row | null): Promise<void> {
    if (pending === null) return;
    const { name, content, row } = pending;
    pending = null;
    const isSame = next !== null && open?.key.equals(next.path) === true;
    const most = isSame ? Math.min(request.around, next.line - row.line - 1) : request.around;
    const after = await showLinesAfter(content, row.offset + row.length, most);
    const lines = after.map((text, at) => `${name}-${row.line + 1 + at}-${text}`);
    hits.shown.push(...lines);
    bytes += lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    lastShown.line += after.length;
  }

  function noteUnread(what: string): void {
    if (hits.unread.at(-1) !== what) hits.unread.push(what);
  }

  function isEnough(): boolean {
    if (hits.files.size >= MOST_COUNTED || hits.lineCount >= MOST_COUNTED) return true;
    return request.output === 'lines' && hits.lineCount > hits.shownLines + COUNTED_LINES;
  }

  return {
    async take(rows) {
      context.signal.throwIfAborted();
      for (const row of rows) {
        if (!countRow(row)) await takeRow(row);
        if (!isEnough()) continue;
        hits.isWhole = false;
        return false;
      }
      return true;
    },
    async end() {
      await showAfter(null);
      return hits;
    },
    async close() {
      await open?.source?.file.close();
      open = null;
    },
  };
}
