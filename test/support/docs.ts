import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One document of the repository. */
export interface Page {
  /** Relative to the repository: `docs/archive.md`. */
  path: string;
  text: string;
  /** Texts between backquotes, outside of code blocks. */
  spans: string[];
  /** Lines of the `sh` blocks, without their comments. */
  shellLines: string[];
}

/** The repository's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const BLOCK = /^```[\s\S]*?^```$/gm;

function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8');
  const shellLines = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter(Boolean);
  const spans = [...text.replaceAll(BLOCK, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  return { path, text, spans, shellLines };
}

/** Paths of the pages in `docs/` and its folders. */
const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)
  .toSorted();

/** All documents except the changelog, which may name what no longer exists. */
export const pages: readonly Page[] = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...docs].map(readPage);

export const changelog: Page = readPage('CHANGELOG.md');

/** @throws Error where there is no such document */
export function pageOf(path: string): Page {
  const page = pages.find((each) => each.path === path);
  if (page === undefined) throw new Error(`${path}: no such document`);
  return page;
}

/**
 * Cells of the rows of all tables below the heading that begins with these words, up to the next heading; without the
 * tables' heads.
 */
export function table(path: string, heading: string): string[][] {
  const text = pageOf(path).text.replaceAll(BLOCK, '');
  const section = new RegExp(`^#+ ${heading}[^\\n]*\\n([\\s\\S]*?)(?=^#|$(?![\\s\\S]))`, 'm').exec(text)?.[1] ?? '';
  const lines = section.split('\n');
  return lines
    .filter(
      (line, index) => line.startsWith('|') && !line.startsWith('|-') && lines[index + 1]?.startsWith('|-') !== true,
    )
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** A cell without its backquotes. */
export const bare = (cell = ''): string => cell.replaceAll('`', '');

export const sorted = (words: readonly string[]): string[] => words.toSorted((a, b) => a.localeCompare(b));
