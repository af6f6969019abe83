import { toAddress } from '../base.js';
import { Card, Table } from '../elements.js';
import { count, queuePath } from '../format.js';
import { html } from '../html.js';

const STATES = ['waiting', 'active', 'delayed', 'parked', 'completed', 'cancelled', 'failed'];
const COLUMNS = { Queue: 'tight', ...Object.fromEntries(STATES.map((state) => [state, 'number'])) };

export function Queues({ queues }) {
  const rows = queues.map((queue) => ({
    key: queue.name,
    cells: [html`<${Name} ...${queue} />`, ...STATES.map((state) => toNumber(queue, state))],
  }));
  const title = html`<span>Queues</span><a href=${toAddress('/tasks')}>All tasks</a>`;
  return html`<${Card} title=${title}><${Table} class="even" columns=${COLUMNS} rows=${rows} /><//>`;
}

function Name({ name, paused, waitingForChildren }) {
  return html`
    <a href=${queuePath(name)}>${name}</a>
    ${paused && html`<span class="badge warn">paused</span>`}
    ${waitingForChildren > 0 && html`<span class="badge">${count(waitingForChildren)} waiting for tasks</span>`}
  `;
}

/** The number of jobs in a state, with a link to them. Bull Board has no page for parked jobs: it lists them as delayed. */
function toNumber(queue, state) {
  const number = count(queue[state]);
  const colour = queue[state] === 0 ? 'zero' : state === 'failed' ? 'bad' : '';
  if (state === 'parked') return html`<a class=${colour} href=${toAddress('/tasks?state=parked')}>${number}</a>`;
  const page = state === 'cancelled' ? 'failed' : state; // BullMQ keeps both together
  return html`<a class=${colour} href=${queuePath(queue.name, page)}>${number}</a>`;
}
