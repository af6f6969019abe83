import { toAddress } from '../base.js';
import { Age, Meter, Table } from '../elements.js';
import { batchPath, count, usd } from '../format.js';
import { html } from '../html.js';

const COLUMNS = {
  Batch: 'text',
  State: 'tight',
  Progress: 'progress',
  Failed: 'number',
  Cancelled: 'number',
  Pace: 'soft of',
  Spent: 'number',
  Age: 'number',
};

/** @param list null: it is being read; undefined: it was refused. @param isAll with those that ended more than a day ago */
export function Page({ list, isAll }) {
  return html`<section class="wide">
    <h1>Batches</h1>
    <p class="soft size">
      ${isAll ? 'All batches, the newest first.' : 'Those that run, and those of the last day.'}${' '}
      <a href=${toAddress(isAll ? '/batches' : '/batches?all=true')}>${isAll ? 'Only the newest' : 'Show all'}</a>
    </p>
    ${list === null && html`<p class="empty">Reading…</p>`}
    ${list === undefined && html`<p class="empty">The list could not be read.</p>`}
    ${list && html`<${List} ...${list} isAll=${isAll} />`}
  </section>`;
}

function List({ batches, more, now, isAll }) {
  if (batches.length === 0) {
    return html`<p class="empty">
      ${isAll ? 'There is no batch.' : 'No batch runs or ended within a day.'}${' '}
      <code>fleet task --file FILE --batch NAME</code> adds one.
    </p>`;
  }
  const rows = batches.map((one) => ({ key: one.batch, cells: toCells(one, now) }));
  return html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />
    ${more > 0 && html`<p class="soft">${count(more)} older ones: <code>fleet batches --all</code></p>`}`;
}

function toCells(one, now) {
  const { batch, shown, state, tasks, completed, failed, cancelled, open, parked, pace } = one;
  return [
    html`<a href=${batchPath(batch)}>${shown}</a>`,
    html`<span class=${state === 'parked' ? 'badge warn' : 'badge'}>${state}</span>`,
    html`<${Bar}
        ...${{ label: shown, tasks, completed }}
      />${parked > 0 && parked < open && html`<div class="warntext">${count(parked)} parked</div>`}`,
    html`<span class=${failed > 0 ? 'bad' : 'zero'}>${count(failed)}</span>`,
    html`<span class=${cancelled > 0 ? 'soft' : 'zero'}>${count(cancelled)}</span>`,
    pace?.text,
    html`${usd(one.spentNanoUsd)}${one.budgetNanoUsd !== null && html`<div class="soft">of ${usd(one.budgetNanoUsd)}</div>`}`,
    html`<${Age} at=${one.createdAt} now=${now} />`,
  ];
}

/** How much of a batch is done. */
export function Bar({ label, tasks, completed }) {
  return html`<${Meter} label=${`tasks done, ${label}`} value=${completed} max=${Math.max(tasks, 1)} />
    <div class="soft">${count(completed)} of ${count(tasks)} done</div>`;
}
