import { toAddress } from '../base.js';
import { Card, Meter, Table } from '../elements.js';
import { count, exactUsd, missionPath, spent, usd } from '../format.js';
import { html } from '../html.js';

const COLUMNS = { What: 'text', Done: 'bar', 'Rate and time left': 'tight', Spent: 'number' };
const RUNNING = ['running', 'waiting'];

/** The batches and missions with tasks to do: how far they are, how fast, and what they have cost. */
export function Running({ batches, missions }) {
  const running = missions.filter(({ state }) => RUNNING.includes(state));
  if (batches.length === 0 && running.length === 0) return null;
  const rows = [...batches.map(toBatch), ...running.map(toMission)];
  return html`<${Card} title="Running"><${Table} class="stack" columns=${COLUMNS} rows=${rows} /><//>`;
}

function toBatch({ batch, tasks, completed, failed, cancelled, parked, pace, costNanoUsd, limitNanoUsd }) {
  const href = toAddress(`/tasks?${new URLSearchParams({ batch })}`);
  return {
    key: `batch ${batch}`,
    cells: [
      html`<span class="soft">batch</span> <a href=${href}>${batch}</a>`,
      html`<${Done} ...${{ name: `batch ${batch}`, total: tasks, done: completed, failed, cancelled, parked }} />`,
      pace === null
        ? html`<span class="soft">–</span>`
        : `${count(Math.round(pace.perMinute))} a minute, ${about(pace.leftMs)} left`,
      `${usd(costNanoUsd)}${limitNanoUsd === null ? '' : ` of ${exactUsd(limitNanoUsd)}`}`,
    ],
  };
}

function toMission({ id, goal, step, tasks, costNanoUsd, freeLocal }) {
  return {
    key: `mission ${id}`,
    cells: [
      html`<span class="soft">mission</span> <a href=${missionPath(id)}>${goal}</a>`,
      tasks.total === 0
        ? html`<span class="soft">${step}</span>`
        : html`<${Done} name=${`mission ${id}`} ...${tasks} />`,
      step,
      spent(costNanoUsd, 4, freeLocal),
    ],
  };
}

function Done({ name, total, done, failed, cancelled, parked = 0 }) {
  const others = { failed, cancelled, parked };
  const said = Object.entries(others).flatMap(([word, tasks]) => (tasks > 0 ? [`${count(tasks)} ${word}`] : []));
  const text = `${count(done)} of ${count(total)}`;
  return html`${text}${said.length > 0 && html`<span class="soft">${`, ${said.join(', ')}`}</span>`}
    <${Meter} label=${`done of ${name}`} value=${done} max=${Math.max(1, total)} />`;
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
];

/** `about 3 h`, the largest unit alone. */
function about(ms) {
  const [length, unit] = UNITS.find(([size]) => ms >= size) ?? UNITS.at(-1);
  return `about ${count(Math.max(1, Math.round(ms / length)))} ${unit}`;
}
