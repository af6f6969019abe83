import { Card, FindingLink, Table, Time } from '../elements.js';
import { html } from '../html.js';

const COLUMNS = { After: 'number soft', Time: 'tight soft', What: 'tight', How: 'text' };
const WARNED = ['wait', 'parked', 'halted'];

/** What happened to the job, the oldest first. */
export function Timeline({ entries, isRecorded }) {
  const rows = entries.map((entry, i) => ({
    key: `${entry.at} ${entry.kind} ${i}`,
    cells: [
      entry.since,
      html`<${Time} at=${entry.at} />`,
      html`<span class=${entry.isFailure ? 'bad' : WARNED.includes(entry.kind) ? 'warntext' : ''}>${entry.kind}</span>`,
      toText(entry),
    ],
  }));
  return html`<${Card} title="Timeline">
    ${rows.length === 0 ? html`<p class="empty">Nothing yet.</p>` : html`<${Table} class="stack timeline" columns=${COLUMNS} rows=${rows} />`}
    ${!isRecorded && html`<p class="soft size">There is no record of its runs: this is what its queue and its finding tell.</p>`}
  <//>`;
}

function toText({ kind, text, until, isFailure }) {
  if (kind === 'finding') return html`<${FindingLink} id=${text} />`;
  if (until !== null) return html`until <${Time} at=${until} />: ${text}`;
  return isFailure ? html`<span class="bad">${text}</span>` : text;
}
