import { html } from '../html.js';
import { Budget, Costs, Delegation, Findings } from './figures.js';
import { Halt } from './halt.js';
import { Limits } from './limits.js';
import { Missions } from './missions.js';
import { Notices } from './notices.js';
import { Patches } from './patches.js';
import { Failed, Queues } from './queues.js';
import { Recent } from './recent.js';
import { Shards } from './shards.js';
import { Slots, Workers } from './workers.js';

/** The page. An empty card keeps its place in the list, so that no card takes over the elements of another. */
export function Page({ status, recent }) {
  return html`
    <${Halt} ...${status} />
    <${Findings} ...${status} />
    <${Slots} ...${status} />
    <${Budget} ...${status} />
    <${Costs} ...${status} />
    <${Delegation} ...${status} />
    <${Missions} ...${status} />
    <${Patches} ...${status} />
    <${Notices} ...${status} />
    <${Queues} ...${status} />
    <${Failed} ...${status} />
    <${Limits} ...${status} />
    <${Shards} ...${status} />
    <${Workers} ...${status} />
    <${Recent} findings=${recent} />
  `;
}
