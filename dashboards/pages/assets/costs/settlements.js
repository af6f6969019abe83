import { Card, Table, Time } from '../elements.js';
import { taskPath, usd } from '../format.js';
import { html } from '../html.js';

const COLUMNS = { When: 'tight', Job: 'text', 'How they know': 'text', Uncertain: 'number', Settled: 'number' };

/** What people said last of uncertain calls. */
export function Settlements({ settlements }) {
  const rows = settlements.map(({ call, at, jobId, by, why, nanoUsd, uncertainNanoUsd }) => ({
    key: `${call} ${at}`,
    cells: [
      html`<${Time} at=${at} />`,
      html`<a class="mono" href=${taskPath(jobId)}>${jobId}</a>`,
      html`${why} <span class="soft">${by}</span>`,
      usd(uncertainNanoUsd, 6),
      nanoUsd === 0 ? 'unpaid' : usd(nanoUsd, 6),
    ],
  }));
  return html`<${Card} title="Settled last"><${Table} class="stack" columns=${COLUMNS} rows=${rows} /><//>`;
}
