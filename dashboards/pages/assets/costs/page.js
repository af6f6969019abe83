import { toAddress } from '../base.js';
import { batchPath, count, missionPath, spent, usd } from '../format.js';
import { html } from '../html.js';
import { Table } from '../elements.js';
import { Settlements } from './settlements.js';
import { Uncertain } from './uncertain.js';

const DIMENSIONS = [
  'day',
  'session',
  'model',
  'vendor',
  'batch',
  'mission',
  'rule',
  'client',
  'shard',
  'worker',
  'route',
];

/** @param asked the dimension and the filters of the address */
export function Page({ report, asked, ticked, why, question, busy, result, on }) {
  return html`
    <section class="wide">
      <h1>Costs</h1>
      <${Choice} asked=${asked} />
      ${report === null && html`<p class="empty">Reading…</p>`}
      ${report === undefined && html`<p class="empty">The costs could not be read.</p>`}
      ${report && html`<${Report} report=${report} asked=${asked} />`}
    </section>
    ${report && html`<${Uncertain} uncertain=${report.uncertain} ...${{ ticked, why, question, busy, result, on }} />`}
    ${report && report.settlements.length > 0 && html`<${Settlements} settlements=${report.settlements} />`}
  `;
}

/** The dimensions, and the values that the report is limited to; a link takes each away. */
function Choice({ asked }) {
  const by = asked.get('by') ?? 'day';
  const only = [...asked].filter(([name]) => name !== 'by');
  return html`
    <nav class="choice" aria-label="One row for each">
      ${DIMENSIONS.map(
        (dimension) =>
          html`<a
            key=${dimension}
            href=${toCosts(asked, { by: dimension })}
            aria-current=${dimension === by ? 'page' : null}
            >${dimension}</a
          >`,
      )}
    </nav>
    ${
      only.length > 0 &&
      html`<p class="only">
        ${only.map(
          ([name, value]) =>
            html`<a
              key=${name}
              class="chip"
              href=${toCosts(asked, { [name]: null })}
              aria-label=${`Without ${name} ${value}`}
              >${name} ${value} ✕</a
            > `,
        )}
      </p>`
    }
  `;
}

/** The address of a report. @param change fields to set; null: to leave out */
function toCosts(asked, change) {
  const query = new URLSearchParams(asked);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  return toAddress(`/costs?${query}`);
}

function Report({ report: { by, comparedWith, rows, more, total }, asked }) {
  if (rows.length === 0) {
    const isFiltered = [...asked].some(([name]) => name !== 'by');
    return html`<p class="empty">${isFiltered ? 'Nothing has been spent on that.' : 'Nothing has been spent yet.'}</p>`;
  }
  const has = {
    rework: total.reworkNano > 0 || total.reworkTasks > 0,
    cache: total.cacheSavedNano !== 0,
    unmetered: total.unmeteredTasks > 0,
  };
  const columns = {
    [by]: 'text',
    Tasks: 'number',
    Calls: 'number',
    Prompt: 'number',
    Output: 'number',
    Cost: 'number',
    [`All ${comparedWith}`]: 'number',
    Saved: 'number',
    ...(has.cache && { 'By cache': 'number' }),
    ...(has.rework && { Rework: 'number', 'Saved after rework': 'number' }),
    ...(has.unmetered && { 'Unmetered, as stated': 'number' }),
  };
  const toLine = (row, name, key) => ({ key, cells: [name, ...toCells(row, has)] });
  const lines = rows.map((row) => toLine(row, html`<${Name} by=${by} ...${row} asked=${asked} />`, `of ${row.name}`));
  lines.push(toLine(total, html`<b>Total</b>${more > 0 && ` with ${count(more)} more`}`, 'total'));
  return html`
    <${Table} class="stack costs" columns=${columns} rows=${lines} />
    <p class="soft size">
      ${`“All ${comparedWith}”: the same tokens at its prices. `}
      ${has.rework && 'Rework was spent on tasks that failed or were handed back. '}
      ${has.unmetered && 'Unmetered work is that of outside workers; no other column counts it.'}
    </p>
  `;
}

/** A day opens its models; every other value its days. */
function Name({ by, name, shown, asked }) {
  if (name === null) return html`<span class="soft">without a ${by}</span>`;
  const page = by === 'mission' ? missionPath(name) : by === 'batch' ? batchPath(name) : null;
  return html`<a href=${toCosts(asked, { by: by === 'day' ? 'model' : 'day', [by]: name })}>${shown}</a>
    ${page !== null && html` <a class="badge" href=${page}>${by}</a>`}`;
}

function toCells(row, has) {
  return [
    count(row.tasks),
    count(row.calls),
    count(row.promptTokens),
    count(row.outputTokens),
    spent(row.costNano, 4, row.calls > 0 && row.calls === row.freeLocalCalls ? row.freeLocalCalls : 0),
    usd(row.allSonnetNano),
    toPercent(row.savedPercent),
    ...(has.cache ? [usd(row.cacheSavedNano)] : []),
    ...(has.rework ? [usd(row.reworkNano), toPercent(row.effectiveSavedPercent)] : []),
    ...(has.unmetered ? [`${count(row.unmeteredTasks)}, ${usd(row.unmeteredNano)}`] : []),
  ];
}

/** @param percent null: there is nothing to compare */
function toPercent(percent) {
  return percent === null ? '–' : `${percent.toFixed(1)} %`;
}
