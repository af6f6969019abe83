import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

/** Bounds, so that a home folder typed by mistake is looked through in a moment. */
const MAX_FILES = 2_000;
const MAX_DEPTH = 8;
const MAX_BYTES = 100_000;

const PASSED_OVER = new Set(['node_modules', 'dist', 'build', 'target', 'vendor', 'coverage', '__pycache__']);
const TEXT = new Set(
  '.ts .tsx .js .mjs .cjs .jsx .py .rb .go .rs .java .kt .c .h .cc .cpp .cs .php .sh .sql .lua .md .txt .rst .html .css .json .yml .yaml .toml .csv'.split(
    ' ',
  ),
);

/** Readable text files of a folder, 2,000 at most; hidden ones, links and what tools made are passed over. */
export function countTextFiles(root: string): number {
  let count = 0;
  const walk = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (count >= MAX_FILES) return;
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory() && depth < MAX_DEPTH && !PASSED_OVER.has(entry.name)) walk(path, depth + 1);
      if (!entry.isFile() || !TEXT.has(extname(entry.name).toLowerCase())) continue;
      const { size } = statSync(path);
      if (size > 0 && size <= MAX_BYTES) count += 1;
    }
  };
  walk(root, 0);
  return count;
}
