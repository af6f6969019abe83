import type { Content } from './content.ts';
import type { Row } from '../engine/rows.ts';
import { showLine, showLinesAfter, showLinesBefore } from './show-line.ts';

/** Most bytes of shown lines: the result must stay below the cap of tool results. */
const MOST_BYTES = 40_000;

export interface LineWriter {
  lines: string[];
  /** Writes a line, and its context where no earlier line has it. Lines of a file come in their order. */
  write(name: string, content: Content, row: Row): Promise<void>;
  /** Writes the context after the last line of a file. Call it before the file is closed. */
  endFile(): Promise<void>;
  isFull(): boolean;
}

/** Writes lines as grep does: `name:12:text`, context as `name-13-text`, and `--` where lines are left out between. */
export function createLineWriter(around: number): LineWriter {
  const lines: string[] = [];
  let bytes = 0;
  /** The line of the open file that was written last, and the matching one before it whose following lines are due. */
  let last: { name: string; content: Content; row: Row; line: number } | null = null;

  function add(added: string[]): void {
    lines.push(...added);
    bytes += added.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  }

  async function writeAfter(most: number): Promise<void> {
    if (last === null || around === 0) return;
    const { name, content, row } = last;
    const after = await showLinesAfter(content, row.offset + row.length, most);
    add(after.map((text, at) => `${name}-${row.line + 1 + at}-${text}`));
    last.line = row.line + after.length;
  }

  return {
    lines,
    async write(name, content, row) {
      if (last !== null) await writeAfter(Math.min(around, row.line - last.row.line - 1));
      const gap = last === null ? Infinity : row.line - last.line - 1;
      const before = await showLinesBefore(content, row.offset, Math.min(around, gap));
      if (around > 0 && lines.length > 0 && gap > before.length) add(['--']);
      add(before.map((text, at) => `${name}-${row.line - before.length + at}-${text}`));
      add([`${name}:${row.line}:${await showLine(content, row)}`]);
      last = { name, content, row, line: row.line };
    },
    async endFile() {
      await writeAfter(around);
      last = null;
    },
    isFull: () => bytes > MOST_BYTES,
  };
}
