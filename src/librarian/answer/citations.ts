import { toAttribute } from '../archive/attribute.ts';

/** `cited`: every citation is known; `unknown`: these are not; `none`: there is no citation. */
export type CitationCheck = { kind: 'cited'; ids: string[] } | { kind: 'unknown'; ids: string[] } | { kind: 'none' };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Checks an answer's citations, in its text (`[a, b]`) and in its list, against the findings that were shown. Ids may
 * have any form. Brackets that hold no citation (`[0]`, `[x]`, a link) are skipped. An id that was not shown is
 * unknown if it is in the list, or if it has the form of an id that was shown.
 */
export function checkCitations(
  answer: { text: string; listed: readonly string[] },
  shown: ReadonlySet<string>,
): CitationCheck {
  const toKnownId = createLookup(shown);
  const cited = new Set<string>();
  const unknown = new Set<string>();
  for (const name of answer.listed) {
    const id = toKnownId(name);
    if (id === null) unknown.add(name);
    else cited.add(id);
  }
  for (const group of readBracketGroups(answer.text)) {
    const whole = toKnownId(group);
    if (whole !== null) {
      cited.add(whole);
      continue;
    }
    for (const name of group.split(/[,;]/)) {
      const id = toKnownId(name);
      if (id !== null) cited.add(id);
      else if (looksLikeId(toBareId(name), shown)) unknown.add(toBareId(name));
    }
  }
  if (unknown.size > 0) return { kind: 'unknown', ids: [...unknown] };
  return cited.size === 0 ? { kind: 'none' } : { kind: 'cited', ids: [...cited] };
}

/** The texts between `[` and `]`: two in `[a] [b]`, none in the link `[text](address)`. */
function readBracketGroups(text: string): string[] {
  return [...text.matchAll(/\[([^[\]]{1,10000})\](?!\()/g)].map((match) => match[1] ?? '');
}

/** Finds the shown id that a name means: as it is, or in the form in which a prompt shows it (quotes, signs and blanks are replaced there). */
function createLookup(shown: ReadonlySet<string>): (name: string) => string | null {
  const forms = new Map([...shown].map((id) => [toAttribute(id), id]));
  const find = (name: string): string | null => (shown.has(name) ? name : (forms.get(name) ?? null)); // `has` knows more than its elements: lines
  return (name) => find(name) ?? find(toBareId(name));
}

/** Removes what a model puts around an id: blanks, quotes, the key's prefix. */
function toBareId(name: string): string {
  return name
    .trim()
    .replaceAll(/^["'`]+|["'`]+$/g, '')
    .replace(/^finding:/, '')
    .trim();
}

function looksLikeId(name: string, shown: ReadonlySet<string>): boolean {
  if (
    /^(?:[a-z][a-z0-9-]{0,31}\/)?(?:finding|archive)[_-]\S/.test(name) ||
    /^context:[^\s#]+#/.test(name) ||
    UUID.test(name)
  )
    return true;
  const family = /^[A-Za-z][A-Za-z0-9]*[_.:-]/.exec(name)?.[0];
  if (family === undefined || /\s/.test(name)) return false;
  for (const id of shown) if (id.startsWith(family)) return true;
  return false;
}
