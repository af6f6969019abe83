import { Card, Facts, Figure, Meter, Table } from '../elements.js';
import { count, taskPath } from '../format.js';
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

/** One row a lease: an outside worker has no process that the fleet knows. */
function toOutsideRows({ leases, held }) {
  const rows = leases.map(({ taskId, worker, expiresAt }) => ({
    key: `outside ${taskId}`,
    cells: [
      worker,
      'outside',
      '',
      html`<div class="chips"><a class="chip" href=${taskPath(taskId)}>${taskId}</a></div>`,
      `until ${expiresAt.slice(11, 19)} UTC`,
    ],
  }));
  const more = held - leases.length;
  if (more > 0) rows.push({ key: 'outside more', cells: ['', 'outside', '', `${count(more)} more tasks`, ''] });
  return rows;
}

/** Each worker with the jobs that it holds, then the outside workers. */
export function Workers({ workers, outside }) {
  const rows = workers.map(({ id, host, pid, active, slots, workspaces }) => ({
    key: id,
    cells: [
      id,
      `${host} · pid ${pid}`,
      `${active.length} / ${slots}`,
      html`<div class="chips">
        ${active.length === 0 && html`<span class="soft">idle</span>`}
        ${active.map((job) => html`<a key=${job} class="chip" href=${taskPath(job)}>${job}</a>`)}
      </div>`,
      workspaces.join(', ') || 'none',
    ],
  }));
  rows.push(...toOutsideRows(outside));
  return html`<${Card} title="Workers">
    ${
      rows.length === 0
        ? html`<p class="empty">No worker runs. Start the fleet with <code>fleet up</code></p>`
        : html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />`
    }
  <//>`;
}
