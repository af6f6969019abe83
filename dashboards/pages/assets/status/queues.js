import { Card, Table } from '../elements.js';
import { count, queuePath } from '../format.js';
import { html } from '../html.js';

const STATES = ['waiting', 'active', 'delayed', 'parked', 'completed', 'failed'];
const COLUMNS = { Queue: 'tight', ...Object.fromEntries(STATES.map((state) => [state, 'number'])) };

export function Queues({ queues }) {
  const rows = queues.map((queue) => ({
    key: queue.name,
    cells: [html`<${Name} ...${queue} />`, ...STATES.map((state) => toNumber(queue, state))],
  }));
  return html`<${Card} title="Queues"><${Table} class="even" columns=${COLUMNS} rows=${rows} /><//>`;
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
  if (state === 'parked') return html`<span class=${colour}>${number}</span>`;
  return html`<a class=${colour} href=${queuePath(queue.name, state)}>${number}</a>`;
}

export function Failed({ failed, failedSampled, queues }) {
  if (failed.length === 0) return null;
  const rows = failed.map(({ queue, reason, count: jobs, repair }) => ({
    key: `${queue} ${reason}`,
    cells: [
      count(jobs),
      reason,
      html`<a href=${queuePath(queue, 'failed')}>${queue}</a>`,
      html`<code>${repair}</code>`,
    ],
  }));
  const isSample = queues.some((queue) => queue.failed > failedSampled);
  const title = `Failed by reason${isSample ? ` (newest ${count(failedSampled)} of each queue)` : ''}`;
  const columns = { Jobs: 'number bad', Reason: 'tight', Queue: 'tight', 'What mends it': '' };
  return html`<${Card} title=${title}><${Table} class="stack" columns=${columns} rows=${rows} /><//>`;
}
