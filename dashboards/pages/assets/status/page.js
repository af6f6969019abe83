import { Charts } from '../charts/charts.js';
import { html } from '../html.js';
import { Ask } from './ask.js';
import { Budget, Costs, Delegation, Findings } from './figures.js';
import { Fleet } from './fleet.js';
import { Limits } from './limits.js';
import { Missions } from './missions.js';
import { NeedsYou } from './needs-you.js';
import { Notices } from './notices.js';
import { Patches } from './patches.js';
import { Queues } from './queues.js';
import { Recent } from './recent.js';
import { Running } from './running.js';
import { Shards } from './shards.js';
import { Slots, Workers } from './workers.js';

/** The page. An empty card keeps its place in the list, so that no card takes over the elements of another. */
export function Page({ status, span, series, asked, question, busy, result, on }) {
  return html`
    <h1 class="unseen">Overview</h1>
    <${Fleet} ...${{ status, busy, result, on }} />
    <${NeedsYou} ...${{ status, busy, result, question, on }} />
    <${Running} ...${status} />
    <${Charts} span=${span} series=${series} />
    <${Findings} ...${status} />
    <${Slots} ...${status} />
    <${Budget} ...${status} />
    <${Costs} ...${status} />
    <${Delegation} ...${status} />
    <${Missions} ...${status} />
    <${Patches} ...${status} />
    <${Recent} findings=${status.newestFindings} />
    <${Notices} ...${status} />
    <${Queues} ...${status} />
    <${Limits} ...${status} />
    <${Shards} ...${status} />
    <${Workers} ...${status} />
    <${Ask} asked=${asked} on=${on} />
  `;
}
