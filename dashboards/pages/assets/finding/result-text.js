import { Cited } from '../cited.js';
import { html } from '../html.js';
import { toParts } from './json-parts.js';

/** Lines of JSON that are shown without a fold. */
const SHORT = 40;
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
