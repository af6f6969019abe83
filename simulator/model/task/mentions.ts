const EXTENSIONS =
  'tsx?|mts|cts|jsx?|mjs|cjs|json|jsonl|md|mdx|txt|csv|tsv|py|lua|sh|css|html?|ya?ml|toml|ini|conf|env|log|xml|svg|sql|rs|go|java|kt|rb|php|c|h|cc|cpp|hpp|swift|vue|lock';
const FILE = new RegExp(
  `(?<![\\w/:.@-])((?:\\.{1,2}/)?(?:[\\w@.-]+/)*[\\w@-][\\w@.-]*\\.(?:${EXTENSIONS}))(?![\\w/(-]|\\.\\w)`,
  'gi',
);
const FOLDER = /(?<![\w/:.@-])((?:[\w@.-]+\/)+)(?![\w*])/g;
const GLOB = /(?<![\w*])([\w./@-]*\*[\w./*{},@-]*)/g;

/** Quoted texts, without their quotes: "…", “…”, `…`, and '…' unless it is an apostrophe. */
export function findQuoted(text: string): string[] {
  const quotes = /"([^"]+)"|“([^”]+)”|`([^`]+)`|(?<!\w)'([^']+)'(?!\w)/g;
  return [...text.matchAll(quotes)].map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? '');
}

/** Paths of files: a name with a known extension. URLs are left out. */
export function findFiles(text: string): string[] {
  const bare = text.replaceAll(/https?:\/\/\S+/g, ' ');
  return unique([...bare.matchAll(FILE)].map((match) => match[1] ?? '').filter((path) => !/^node\.js$/i.test(path)));
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

/** The text in lower case without quotes, paths and URLs. The verbs that are left name the work. */
export function toVerbText(text: string): string {
  return text
    .replaceAll(/"[^"]*"|“[^”]*”|`[^`]*`|(?<!\w)'[^']+'(?!\w)/g, ' ')
    .replaceAll(/https?:\/\/\S+/g, ' ')
    .replaceAll(/[\w@./-]*[/.][\w@/-]+/g, ' ')
    .toLowerCase();
}

/**
 * The first of the given verbs that is a request: at the start of the text, or after a stop, "and", "then" or "please". A
 * verb inside a question or a name ("describe what add does") is not a request.
 * @param words alternatives of a regular expression
 */
export function findRequest(verbs: string, words: string): string | undefined {
  return new RegExp(`(?:^|[.,;:!?\\n]\\s*|\\b(?:and|then|please|you to)\\s+)(${words})\\b`).exec(verbs.trim())?.[1];
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)];
}
