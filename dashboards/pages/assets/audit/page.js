import { toAddress } from '../base.js';
import { Table, Time } from '../elements.js';
import { html } from '../html.js';
import { Filters } from './filters.js';

const COLUMNS = {
  When: 'tight when',
  Who: 'who',
  From: 'tight soft',
  What: 'tight',
  About: 'text about',
  Change: 'text',
};

/** @param list null: it is being read; undefined: it was refused. @param asked the filters of the address */
export function Page({ list, asked }) {
  return html`
    <${Filters} asked=${asked} verbs=${list?.verbs ?? []} />
    <section class="wide changes">
      <h1>Audit</h1>
      <p class="soft size">
        ${'What people and clients have changed, the newest first. About 10,000 changes are kept.'}
      </p>
      ${list === null && html`<p class="empty">Reading…</p>`}
      ${list === undefined && html`<p class="empty">The list could not be read.</p>`}
      ${list && html`<${List} entries=${list.entries} isFiltered=${[...asked].length > 0} />`}
      ${list && html`<${Foot} cursor=${list.cursor} asked=${asked} />`}
    </section>
  `;
}

function List({ entries, isFiltered }) {
  if (entries.length === 0)
    return html`<p class="empty">${isFiltered ? 'No change fits.' : 'No change is noted yet.'}</p>`;
  const rows = entries.map((entry) => ({ key: entry.id, cells: toCells(entry) }));
  return html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />`;
}

function toCells({ at, from, shown }) {
  const { who, client, what, about, change } = shown;
  return [
    html`<${Time} at=${at} />`,
    html`${who}${client !== null && client !== who && html`<span class="soft">${` for ${client}`}</span>`}`,
    from,
    html`<span class="badge">${what}</span>`,
    about,
    change,
  ];
}

/** Links to older entries, and back. */
function Foot({ cursor, asked }) {
  const older = new URLSearchParams(asked);
  older.set('cursor', cursor ?? '');
  const newest = new URLSearchParams(asked);
  newest.delete('cursor');
  return html`<div class="actions">
    ${asked.has('cursor') && html`<a class="plain" href=${toAddress(`/audit?${newest}`)}>Newest</a>`}
    ${cursor !== null && html`<a class="plain" href=${toAddress(`/audit?${older}`)}>Older</a>`}
  </div>`;
}
