import { toAddress } from '../base.js';
import { Age, Table } from '../elements.js';
import { count, missionPath, taskPath, usd } from '../format.js';
import { html } from '../html.js';
import { Bulk } from './bulk.js';
import { Filters } from './filters.js';
import { StateBadge } from './state.js';

const COLUMNS = {
  Tick: 'tick',
  State: 'tight',
  Task: 'text',
  Model: 'tight soft model',
  Of: 'soft of',
  Cost: 'number',
  Age: 'number',
};

/** @param asked the filters of the address */
export function Page({ list, asked, ticked, question, busy, result, on }) {
  return html`
    <${Filters} asked=${asked} />
    <section class="wide jobs">
      ${list === null && html`<p class="empty">Reading…</p>`}
      ${list === undefined && html`<p class="empty">The list could not be read.</p>`}
      ${list && html`<${Bulk} jobs=${list.jobs} ...${{ ticked, question, busy, result, on }} />`}
      ${list && html`<${List} ...${{ list, ticked, busy, on }} />`}
      ${list && html`<${Foot} ...${{ list, asked, on }} />`}
    </section>
  `;
}

function List({ list: { jobs, now }, ticked, busy, on }) {
  if (jobs.length === 0) return html`<p class="empty">No job fits.</p>`;
  const rows = jobs.map((job) => ({
    key: `${job.queue} ${job.id}`,
    cells: [
      job.action !== null &&
        html`<input
          type="checkbox"
          aria-label=${`Tick ${job.id}`}
          checked=${ticked.has(job.id)}
          disabled=${busy !== null}
          onChange=${() => on.tick(job.id)}
        />`,
      html`<${StateBadge} ...${job} />`,
      html`<${Subject} ...${job} />`,
      job.model,
      toOwner(job),
      job.costNanoUsd === null ? '–' : usd(job.costNanoUsd),
      html`<${Age} at=${job.at} now=${now} />`,
    ],
  }));
  return html`<${Table} class="stack list" columns=${COLUMNS} rows=${rows} />`;
}

/** The first words, the id, and why the job does not run. */
function Subject({ id, kind, text, why, reason, state }) {
  return html`
    <div>
      ${kind !== 'task' && html`<span class="badge">${kind}</span>${' '}`}${text === '' ? html`<span class="soft">without a text</span>` : text}
    </div>
    <a class="mono" href=${taskPath(id)}>${id}</a>
    ${why !== null && html`<div class=${state === 'failed' ? 'bad why' : 'soft why'}>${reason !== null && `${reason}: `}${why}</div>`}
  `;
}

/** What the job belongs to, with links. Null: nothing. */
function toOwner({ id, batch, mission }) {
  if (batch !== null) {
    return html`batch <a href=${toAddress(`/tasks?batch=${encodeURIComponent(batch)}`)}>${batch}</a>`;
  }
  if (mission === null || mission === id) return null;
  return html`<div>mission</div>
    <a class="mono" href=${missionPath(mission)}>${mission}</a>`;
}

/** How many records were looked at, and the link to older ones. */
function Foot({ list: { jobs, looked, cursor, stoppedEarly }, asked, on }) {
  const older = new URLSearchParams(asked);
  older.set('cursor', cursor ?? '');
  const newest = new URLSearchParams(asked);
  newest.delete('cursor');
  return html`<div class="foot">
    <p class="soft">
      ${`${count(jobs.length)} ${jobs.length === 1 ? 'job' : 'jobs'}, ${count(looked)} ${looked === 1 ? 'record' : 'records'} looked at${stoppedEarly ? ' so far' : ''}.`}
    </p>
    <div class="actions">
      ${asked.has('cursor') && html`<a class="plain" href=${toAddress(`/tasks?${newest}`)}>Newest</a>`}
      ${cursor !== null && html`<a class="plain" href=${toAddress(`/tasks?${older}`)}>${stoppedEarly ? 'Look on' : 'Older'}</a>`}
      <button type="button" class="plain reads" onClick=${on.again}>Read again</button>
    </div>
  </div>`;
}
