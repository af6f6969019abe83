import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

/** Limits of the search, so that a home folder given by mistake takes no time. */
const MAX_FILES = 2_000;
const MAX_DEPTH = 8;
const MAX_BYTES = 100_000;

const SKIPPED = new Set(['node_modules', 'dist', 'build', 'target', 'vendor', 'coverage', '__pycache__']);
const TEXT = new Set(
  '.ts .tsx .js .mjs .cjs .jsx .py .rb .go .rs .java .kt .c .h .cc .cpp .cs .php .sh .sql .lua .md .txt .rst .html .css .json .yml .yaml .toml .csv'.split(
    ' ',
  ),
);

/** Counts the text files of a folder, up to 2,000. Skips hidden files, links and folders that tools create. */
export function countTextFiles(root: string): number {
  let count = 0;
  const walk = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (count >= MAX_FILES) return;
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory() && depth < MAX_DEPTH && !SKIPPED.has(entry.name)) walk(path, depth + 1);
      if (!entry.isFile() || !TEXT.has(extname(entry.name).toLowerCase())) continue;
      const { size } = statSync(path);
      if (size > 0 && size <= MAX_BYTES) count += 1;
    }
  };
  walk(root, 0);
  return count;
}
