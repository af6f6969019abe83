import { Card, Facts, Figure, Meter, Table } from '../elements.js';
import { count, jobPath } from '../format.js';
import { html } from '../html.js';

const COLUMNS = { Worker: 'tight', Process: 'tight soft', Slots: 'number', 'Working on': '', Workspaces: 'soft' };

/** The number of workers, and of their slots in use. */
export function Slots({ workers }) {
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  const busy = workers.reduce((sum, worker) => sum + worker.active.length, 0);
  return html`<${Card} title="Haiku workers" class="card third">
    <${Figure} value=${workers.length} note=${`${count(slots)} slots`} />
    <${Meter} label="slots in use" value=${busy} max=${Math.max(slots, 1)} />
    <${Facts} of=${[['In use', `${busy} of ${count(slots)}`]]} />
  <//>`;
}

/** Each worker with the jobs that it holds. */
export function Workers({ workers }) {
  const rows = workers.map(({ id, host, pid, active, slots, workspaces }) => ({
    key: id,
    cells: [
      id,
      `${host} · pid ${pid}`,
      `${active.length} / ${slots}`,
      html`<div class="chips">
        ${active.length === 0 && html`<span class="soft">idle</span>`}
        ${active.map((job) => html`<a key=${job} class="chip" href=${jobPath('tasks', job)}>${job}</a>`)}
      </div>`,
      workspaces.join(', ') || 'none',
    ],
  }));
  return html`<${Card} title="Workers">
    ${
      rows.length === 0
        ? html`<p class="empty">No worker runs. Start the fleet with <code>fleet up</code></p>`
        : html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />`
    }
  <//>`;
}
