import { FindingLink, PatchLink, Summary, Table, Time } from '../elements.js';
import { findingCost } from '../format.js';
import { html } from '../html.js';

const COLUMNS = { Time: 'tight', Summary: 'text', Finding: 'tight', Cost: 'number' };

export function Recent({ findings }) {
  const rows = findings.map(({ id, at, summary, isPartial, toolErrors, patchState, costUsd }) => ({
    key: id,
    cells: [
      html`<${Time} at=${at} />`,
      html`<${Summary} of=${summary} partial=${isPartial} toolErrors=${toolErrors} />`,
      html`<${FindingLink} id=${id} />${' '}<${PatchLink} id=${id} state=${patchState} />`,
      findingCost(costUsd),
    ],
  }));
  return html`<section class="wide">
    <h2><span>Newest findings</span>${rows.length > 0 && html`<a href="/findings">All findings</a>`}</h2>
    ${
      rows.length === 0
        ? html`<p class="empty">None yet.</p>`
        : html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />`
    }
  </section>`;
}
