import { toAddress } from './base.js';
import { html } from './html.js';

/** `[id]` or `[id, id]`. */
const CITATION = /(\[[^[\]\s,]+(?:,\s*[^[\]\s,]+)*\])/;

/**
 * A text with a link in place of each id that it cites in square brackets.
 * @param citations the ids that are sources: another text in brackets stays as it is
 * @param toHref the address of a source; default: its page
 */
export function Cited({ text, citations, toHref = toFinding }) {
  const cited = new Set(citations);
  return text.split(CITATION).map((part) => {
    const ids = part.startsWith('[') ? part.slice(1, -1).split(/,\s*/) : [];
    if (!ids.some((id) => cited.has(id))) return part;
    return ids.map((id, i) => {
      const shown = `${i === 0 ? '[' : ', '}${id}${i === ids.length - 1 ? ']' : ''}`;
      return cited.has(id) ? html`<a href=${toHref(id)} class="mono">${shown}</a>` : shown;
    });
  });
}

function toFinding(id) {
  return toAddress(`/findings/${encodeURIComponent(id)}`);
}
