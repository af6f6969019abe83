const FILE = /(?<![\w/:.@-])((?:\.{1,2}\/)?(?:[\w@.-]+\/)*[\w@-][\w@.-]*\.[A-Za-z]\w{0,9})(?![\w/(])/g;
const FOLDER = /(?<![\w/:.@-])((?:[\w@.-]+\/)+)(?![\w*])/g;
const GLOB = /(?<![\w*])([\w./@-]*\*[\w./*{},@-]*)/g;

/** Quoted texts, without their quotes: "…", “…”, `…`, and '…' that is no apostrophe. */
export function findQuoted(text: string): string[] {
  const quotes = /"([^"]+)"|“([^”]+)”|`([^`]+)`|(?<!\w)'([^']+)'(?!\w)/g;
  return [...text.matchAll(quotes)].map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? '');
}

/** Paths that look like files: a name with an extension; addresses, versions and abbreviations left out. */
export function findFiles(text: string): string[] {
  const bare = text.replaceAll(/https?:\/\/\S+/g, ' ');
  const found = [...bare.matchAll(FILE)].map((match) => (match[1] ?? '').replace(/\.$/, ''));
  return unique(found.filter((path) => !/^(?:e\.g|i\.e|etc\.\w+|node\.js|vs\.\w+)$/i.test(path)));
}

/** Folders: `src/`, `src/ledger/`, "the docs folder", "folder docs". */
export function findFolders(text: string): string[] {
  const bare = text.replaceAll(/https?:\/\/\S+/g, ' ');
  const slashed = [...bare.matchAll(FOLDER)].map((match) => match[1] ?? '');
  const nested = [...bare.matchAll(/(?<![\w/:.@-])((?:[\w@-]+\/)+[\w@-]+)(?![\w/.*]|\.\w)/g)].map(
    (match) => match[1] ?? '',
  );
  const before = [...bare.matchAll(/["`']?([\w@./-]+)["`']?\s+(?:folder|directory)\b/gi)].map(
    (match) => match[1] ?? '',
  );
  const after = [...bare.matchAll(/\b(?:folder|directory)\s+["`']?([\w@./-]+)["`']?/gi)].map((match) => match[1] ?? '');
  const plain = /^(?:the|this|that|a|each|every|whole|of|in|is|and|to|with|current|working)$/i;
  return unique(
    [...slashed, ...nested, ...before, ...after]
      .map((path) => path.replace(/\/+$/, ''))
      .filter((path) => path !== '' && !plain.test(path)),
  );
}

/** Patterns with a star: `*.md`, `src/**\/*.ts`. A bare `*.md` means any depth. */
export function findGlobs(text: string): string[] {
  const found = [...text.matchAll(GLOB)].map((match) => (match[1] ?? '').replace(/[.,]$/, ''));
  return unique(found.filter((glob) => /[\w.]/.test(glob)).map((glob) => (glob.includes('/') ? glob : `**/${glob}`)));
}

export function findUrls(text: string): string[] {
  return unique((text.match(/https?:\/\/[^\s"'`<>)\]]+/g) ?? []).map((url) => url.replace(/[.,;]$/, '')));
}

/** The words of a sentence without anything quoted, any path or address: what is left says what to do. */
export function toVerbText(text: string): string {
  return text
    .replaceAll(/"[^"]*"|“[^”]*”|`[^`]*`|(?<!\w)'[^']+'(?!\w)/g, ' ')
    .replaceAll(/https?:\/\/\S+/g, ' ')
    .replaceAll(/[\w@./-]*[/.][\w@/-]+/g, ' ')
    .toLowerCase();
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}
