import { Cited } from '../cited.js';
import { html } from '../html.js';

/** Lines of JSON that are shown without a fold, in all and of one part. */
const SHORT = 40;
const SHORT_PART = 12;
/** Levels that have folds. */
const MOST_LEVELS = 4;
/** Characters of what a fold hides. */
const FIRST_WORDS = 80;

/**
 * The result of a finding. Long JSON is folded, its short parts are not.
 * @param isJson the text is JSON, indented by two spaces
 * @param cited `citations` and `toHref` of `Cited`
 */
export function ResultText({ text, isJson, ...cited }) {
  const lines = isJson ? text.split('\n') : [];
  if (lines.length <= SHORT) return html`<${Lines} lines=${[text]} cited=${cited} />`;
  return html`<div class="json"><${Level} lines=${lines} level=${0} cited=${cited} /></div>`;
}

function Lines({ lines, cited }) {
  return html`<pre><${Cited} text=${lines.join('\n')} ...${cited} /></pre>`;
}

/** What is long of a level is folded, and open where there is nothing else to read. */
function Level({ lines, level, cited }) {
  if (level === MOST_LEVELS) return html`<${Lines} lines=${lines} cited=${cited} />`;
  const parts = toParts(lines, '  '.repeat(level));
  const isOpen = parts.filter(({ isLong }) => isLong).length === 1;
  return parts.map(({ isLong, lines: own }, i) =>
    isLong
      ? html`<${Fold} key=${i} lines=${own} isOpen=${isOpen} level=${level} cited=${cited} />`
      : html`<${Lines} key=${i} lines=${own} cited=${cited} />`,
  );
}

function Fold({ lines, isOpen, level, cited }) {
  const [first, second] = lines.map((line) => line.trim());
  const begin = `${first} ${second}`.slice(0, FIRST_WORDS);
  return html`<details open=${isOpen}>
    <summary>
      <span class="path mono">${`${begin} … ${lines.at(-1).trim()}`}</span>
      <span class="soft">${`${lines.length} lines`}</span>
    </summary>
    <${Level} lines=${lines.slice(1, -1)} level=${level + 1} cited=${cited} />
  </details>`;
}

/** Cuts the lines of a level into its long lists and objects, and what is between them. @param indent that of the level */
function toParts(lines, indent) {
  const parts = [{ isLong: false, lines: [] }];
  for (let i = 0; i < lines.length; i += 1) {
    const end = isOwn(lines[i], indent) && /[[{]$/.test(lines[i]) ? findEnd(lines, i + 1, indent) : -1;
    if (end - i < SHORT_PART) {
      parts.at(-1).lines.push(lines[i]);
      continue;
    }
    parts.push({ isLong: true, lines: lines.slice(i, end + 1) }, { isLong: false, lines: [] });
    i = end;
  }
  return parts.filter((part) => part.lines.length > 0);
}

/** The place of the line that ends a list or object; -1: there is none. */
function findEnd(lines, from, indent) {
  return lines.findIndex((line, i) => i >= from && isOwn(line, indent));
}

function isOwn(line, indent) {
  return line.startsWith(indent) && line[indent.length] !== ' ';
}
