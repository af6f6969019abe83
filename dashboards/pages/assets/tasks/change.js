import { Question } from '../elements.js';
import { count, usd } from '../format.js';
import { html } from '../html.js';

const LABELS = { retry: 'Retry', cancel: 'Cancel' };
const DONE = { retry: 'Retried', cancel: 'Cancelled' };
/** Ids that a page names; further ones are counted. */
const NAMED = 20;

const jobsOf = (number) => `${count(number)} ${number === 1 ? 'job' : 'jobs'}`;

/**
 * Asks before jobs are retried or cancelled: how many, and what they cost.
 * @param jobs rows of the list, which know what each has cost
 * @param done ids of those that would be changed
 */
export function ChangeQuestion({ action, jobs, done, refused, forecast, on }) {
  const confirm = done.length === 0 ? null : `${LABELS[action]} ${jobsOf(done.length)}`;
  const chosen = jobs.filter(({ id }) => done.includes(id));
  return html`<${Question}
    title=${`${LABELS[action]} ${jobsOf(done.length)}`}
    confirm=${confirm}
    onConfirm=${() => on.confirm({ action, done })}
    onClose=${on.close}
  >
    ${done.length > 0 && html`<p>${describeChange(action, chosen, forecast)}</p>`}
    <${Refused} of=${refused} />
  <//>`;
}

/** What jobs have cost, and what the change will cost. */
export function describeChange(action, jobs, forecast) {
  const spent = jobs.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0);
  const isKnown = jobs.some(({ costNanoUsd }) => costNanoUsd !== null);
  const soFar = isKnown
    ? `Spent on ${jobs.length === 1 ? 'it' : 'them'} so far: ${usd(spent)}, which stays booked.`
    : `Nothing is booked for ${jobs.length === 1 ? 'it' : 'them'} so far.`;
  if (action === 'cancel') {
    const missions = jobs.some(({ kind }) => kind === 'mission')
      ? ' The open tasks of a mission are cancelled with it.'
      : '';
    return `${soFar} A running one ends at once, a waiting one as soon as a worker takes it, without a call.${missions}`;
  }
  if (forecast === null) return `${soFar} What ${jobs.length === 1 ? 'it' : 'they'} will cost is not known before.`;
  const { tasks, likely, high, budgetLeft } = forecast;
  const of = tasks === jobs.length ? '' : ` for ${count(tasks)} of them`;
  return `${soFar} To run again: ${usd(likely)} likely${of}, ${usd(high)} at most of what such tasks took. Left of today’s budget: ${usd(budgetLeft, 2)}.`;
}

export function ChangeResult({ action, done, refused, problem }) {
  if (problem !== undefined) return html`<p class="outcome bad">Not done: ${problem}</p>`;
  return html`
    ${done.length > 0 && html`<p class="outcome good">${`${DONE[action]} ${jobsOf(done.length)}.`}</p>`}
    <${Refused} of=${refused} />
  `;
}

function Refused({ of: refused }) {
  if (refused.length === 0) return null;
  const more = refused.length - NAMED;
  return html`<p class="outcome bad">Left out:</p>
    <ul class="paths">
      ${refused.slice(0, NAMED).map(({ id, message }) => html`<li key=${id}>${message}</li>`)}
      ${more > 0 && html`<li>${`and ${count(more)} more`}</li>`}
    </ul>`;
}
