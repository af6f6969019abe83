import { toAddress } from '../base.js';
import { Card, Facts, Time } from '../elements.js';
import { count, exactUsd, spent, usd } from '../format.js';
import { html } from '../html.js';
import { ChangeQuestion, ChangeResult } from './change.js';
import { Bar } from './page.js';

/** The counts of a batch, what it spends, and what a person can do about it. */
export function Page({ batch: one, limit, question, busy, result, on }) {
  const { batch, shown, session, createdAt, tasks, completed, failed, open, waits, pace } = one;
  return html`
    <section class="wide">
      <h1 class="subject">${shown}</h1>
      <p class="soft size">Batch of session ${session}, loaded <${Time} at=${createdAt} /></p>
      <${Bar} ...${{ label: shown, tasks, completed }} />
      <p>${describe(open, pace)} <a href=${tasksPath(batch)}>Its tasks</a></p>
      <ul class="paths">
        ${waits.map(
          ({ count: number, text, command }) =>
            html`<li key=${text}>
              ${count(number)} ${number === 1 ? 'waits' : 'wait'} for
              ${text}${command !== '' && html`: <code>${command}</code>`}
            </li>`,
        )}
      </ul>
      <div class="actions">
        <${Button}
          label=${`Retry ${count(failed)} failed`}
          isFree=${!busy && failed > 0}
          does=${() => on.ask('retry')}
        />
        <${Button} label=${`Cancel ${count(open)} open`} isFree=${!busy && open > 0} does=${() => on.ask('cancel')} />
      </div>
      <div role="status">
        ${busy && html`<p class="soft">One moment…</p>`} ${result !== null && html`<${ChangeResult} ...${result} />`}
      </div>
    </section>
    ${question !== null && html`<${ChangeQuestion} ...${question} batch=${one} on=${on} />`}
    <${Card} title="Tasks by state" class="card half"><${Facts} of=${countsOf(one)} /><//>
    <${Card} title="Money" class="card half">
      <${Facts} of=${moneyOf(one)} />
      <${Budget} ...${{ limit, busy, on }} />
    <//>
  `;
}

function describe(open, pace) {
  if (open === 0) return 'Nothing is open.';
  const tasks = `${count(open)} ${open === 1 ? 'task is' : 'tasks are'} open`;
  return pace === null ? `${tasks}; the rate is not known yet.` : `${tasks}: ${pace.text}.`;
}

function Button({ label, isFree, does }) {
  return html`<button type="button" class="plain" aria-disabled=${!isFree} onClick=${() => isFree && does()}>
    ${label}
  </button>`;
}

function tasksPath(batch, state) {
  const query = new URLSearchParams({ batch, ...(state !== undefined && { state }) });
  return toAddress(`/tasks?${query}`);
}

/** Each count opens its tasks. */
function countsOf({ batch, tasks, completed, partial, toolErrors, failed, cancelled, open, parked }) {
  const link = (number, state) => html`<a href=${tasksPath(batch, state)}>${count(number)}</a>`;
  return [
    ['Added', link(tasks)],
    ['Done', link(completed, 'done')],
    ['of them partial', partial > 0 && count(partial)],
    ['of them with tool errors', toolErrors > 0 && count(toolErrors)],
    ['Failed', html`<span class=${failed > 0 ? 'bad' : ''}>${link(failed, 'failed')}</span>`],
    ['Cancelled', link(cancelled, 'cancelled')],
    ['Open', link(open, 'running,waiting,delayed,parked')],
    ['of them parked', parked > 0 && html`<span class="warntext">${link(parked, 'parked')}</span>`],
  ].filter(([, value]) => value !== false);
}

function moneyOf({ settledNanoUsd, freeLocal, uncertainNanoUsd, limitNanoUsd }) {
  const left = limitNanoUsd === null ? null : Math.max(0, limitNanoUsd - settledNanoUsd - uncertainNanoUsd);
  return [
    ['Spent', spent(settledNanoUsd, 4, freeLocal)],
    ['Uncertain', uncertainNanoUsd > 0 && html`<a href=${toAddress('/costs')}>${usd(uncertainNanoUsd)}</a>`],
    ['Budget', limitNanoUsd === null ? 'none of its own' : exactUsd(limitNanoUsd)],
    ['Not yet spent', left !== null && usd(left)],
  ].filter(([, value]) => value !== false);
}

function Budget({ limit, busy, on }) {
  const isFree = !busy && /^\$?\d+(\.\d+)?$/.test(limit.trim());
  const submit = (event) => {
    event.preventDefault();
    if (isFree) on.askBudget();
  };
  return html`<form class="budget" onSubmit=${submit}>
    <label
      >New budget, dollars
      <input
        name="limit"
        inputmode="decimal"
        autocomplete="off"
        placeholder="2.50"
        value=${limit}
        onInput=${(event) => on.limit(event.currentTarget.value)}
      />
    </label>
    <div class="actions">
      <button type="submit" class="plain" aria-disabled=${!isFree}>Set the budget</button>
    </div>
  </form>`;
}
