import { Question } from '../elements.js';
import { count, exactUsd, usd } from '../format.js';
import { html } from '../html.js';

const tasksOf = (number) => `${count(number)} ${number === 1 ? 'task' : 'tasks'}`;

const TITLES = {
  retry: ({ count: number }) => `Retry ${tasksOf(number)}`,
  cancel: ({ count: number }) => `Cancel ${tasksOf(number)}`,
  budget: ({ limit }) => `Set the budget to ${toDollars(limit)}`,
};
const DONE = {
  retry: ({ count: number }) => `Retried ${tasksOf(number)}.`,
  cancel: ({ count: number }) => `Cancelled ${tasksOf(number)}.`,
  budget: ({ limit, released }) =>
    `The budget is ${toDollars(limit)}.${released > 0 ? ` ${tasksOf(released)} ${released === 1 ? 'goes' : 'go'} on.` : ''}`,
};

/** Asks before a batch is changed: how many tasks, and what they cost. @param change what a dry run found */
export function ChangeQuestion({ action, batch, on, ...change }) {
  const title = TITLES[action](change);
  const isEmpty = action !== 'budget' && change.count === 0;
  return html`<${Question}
    title=${`${title} of ${batch.shown}`}
    confirm=${isEmpty ? null : title}
    onConfirm=${() => on.confirm({ action, ...change })}
    onClose=${on.close}
  >
    <p>${describe(action, batch, change)}</p>
    <${Refused} ...${change} />
  <//>`;
}

function describe(action, { settledNanoUsd, uncertainNanoUsd, parked }, { forecast, left, limit }) {
  const soFar = `Spent on the batch so far: ${usd(settledNanoUsd)}, which stays booked.`;
  if (action === 'cancel') {
    return `${soFar} A running task ends at once, a waiting one as soon as a worker takes it, without a call.`;
  }
  if (action === 'budget') {
    const room = Math.max(0, toNano(limit) - settledNanoUsd - uncertainNanoUsd);
    const goOn =
      parked > 0
        ? ` ${tasksOf(parked)} ${parked === 1 ? 'is' : 'are'} parked; those that wait for this budget go on.`
        : '';
    return `${soFar} Its calls may spend ${usd(room)} more.${goOn}`;
  }
  const rest = left > 0 ? ` ${count(left)} more are retried the next time.` : '';
  if (forecast === null) return `${soFar} What they will cost is not known before.${rest}`;
  const { likely, high, budgetLeft } = forecast;
  return `${soFar} To run again: ${usd(likely)} likely, ${usd(high)} at most of what such tasks took. Left of today’s budget: ${usd(budgetLeft, 2)}.${rest}`;
}

export function ChangeResult({ action, problem, ...change }) {
  if (problem !== undefined) return html`<p class="outcome bad">Not done: ${problem}</p>`;
  return html`<p class="outcome good">${DONE[action](change)}</p>
    <${Refused} ...${change} />`;
}

function Refused({ refused = [], refusedCount = 0 }) {
  if (refused.length === 0) return null;
  const more = refusedCount - refused.length;
  return html`<p class="outcome bad">Left out:</p>
    <ul class="paths">
      ${refused.map(({ id, message }) => html`<li key=${id}>${message}</li>`)}
      ${more > 0 && html`<li>${`and ${count(more)} more`}</li>`}
    </ul>`;
}

function toNano(limit) {
  return Number(limit.trim().replace('$', '')) * 1e9;
}

function toDollars(limit) {
  return exactUsd(toNano(limit), 2);
}
