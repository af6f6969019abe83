import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

export interface SurveyedFile {
  /** Relative to the surveyed folder, `/` as separator. */
  path: string;
  bytes: number;
}

/** Bounds, so that a home folder typed by mistake is surveyed in a moment. */
const MAX_FILES = 2_000;
const MAX_DEPTH = 8;
const MAX_BYTES = 100_000;

const PASSED_OVER = new Set(['node_modules', 'dist', 'build', 'target', 'vendor', 'coverage', '__pycache__']);
const TEXT = new Set(
  '.ts .tsx .js .mjs .cjs .jsx .py .rb .go .rs .java .kt .c .h .cc .cpp .cs .php .sh .sql .lua .md .txt .rst .html .css .json .yml .yaml .toml .csv'.split(
    ' ',
  ),
);

/** Readable text files of a folder, largest first; hidden ones, links and what tools made are passed over. */
export function surveyFolder(root: string): SurveyedFile[] {
  const found: SurveyedFile[] = [];
  const walk = (folder: string, depth: number): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => a.name.localeCompare(b.name))) {
      if (found.length >= MAX_FILES) return;
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory() && depth < MAX_DEPTH && !PASSED_OVER.has(entry.name)) walk(path, depth + 1);
      if (!entry.isFile() || !TEXT.has(extname(entry.name).toLowerCase())) continue;
      const { size: bytes } = statSync(path);
      if (bytes > 0 && bytes <= MAX_BYTES) found.push({ path: relative(root, path).split(sep).join('/'), bytes });
    }
  };
  walk(root, 0);
  return found.toSorted((a, b) => b.bytes - a.bytes || a.path.localeCompare(b.path));
}

/** A name that a source file exports or defines, to search for. */
export function findDefinedName(root: string, files: SurveyedFile[]): { name: string; path: string } | null {
  const definition = /^(?:export\s+)?(?:async\s+)?(?:function|class|def|func|fn)\s+([A-Za-z_]\w{5,40})/m;
  for (const { path } of files) {
    const name = definition.exec(readFileSync(join(root, path), 'utf8'))?.[1];
    if (name !== undefined) return { name, path };
  }
  return null;
}
