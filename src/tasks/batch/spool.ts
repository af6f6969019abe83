import { appendFileSync, createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One line of a batch file: its task, or why it is none. */
export type SpoolEntry =
  | { line: number; id: string; findingId: string }
  | { line: number; error: string }
  | { line: number; blank: true };

/** The lines of one load, on disk: a file of a million lines takes no memory, and a pipe cannot be read twice. */
export interface Spool {
  add(entry: SpoolEntry): void;
  /** In order of the lines, `size` at a time. */
  chunks(size: number): AsyncGenerator<SpoolEntry[]>;
  remove(): void;
}

const BUFFER_CHARS = 64 * 1024;

export function openSpool(): Spool {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-batch-'));
  const path = join(folder, 'lines.jsonl');
  let buffer = '';
  let nextLine = 1;
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);

  function write(entry: SpoolEntry): void {
    buffer += `${JSON.stringify(entry)}\n`;
    if (buffer.length < BUFFER_CHARS) return;
    appendFileSync(path, buffer, { mode: 0o600 });
    buffer = '';
  }

  return {
    add(entry) {
      for (; nextLine < entry.line; nextLine += 1) write({ line: nextLine, blank: true }); // lines between two entries
      write(entry);
      nextLine = entry.line + 1;
    },
    async *chunks(size) {
      await appendFile(path, buffer, { mode: 0o600 });
      buffer = '';
      let chunk: SpoolEntry[] = [];
      for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
        chunk.push(JSON.parse(text) as SpoolEntry);
        if (chunk.length < size) continue;
        yield chunk;
        chunk = [];
      }
      if (chunk.length > 0) yield chunk;
    },
    remove() {
      process.off('exit', remove);
      remove();
    },
  };
}
