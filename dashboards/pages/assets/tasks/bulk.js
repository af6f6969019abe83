import { html } from '../html.js';
import { count } from '../format.js';
import { ChangeQuestion, ChangeResult } from './change.js';

/** The buttons for the ticked jobs, the question before a change, and what became of it. */
export function Bulk({ jobs, ticked, question, busy, result, on }) {
  const able = jobs.filter(({ action }) => action !== null);
  const chosen = able.filter(({ id }) => ticked.has(id));
  const isAll = able.length > 0 && chosen.length === able.length;
  return html`
    <div class="bulk">
      <label>
        <input
          type="checkbox"
          checked=${isAll}
          disabled=${able.length === 0 || busy !== null}
          onChange=${() => on.tickAll(able.map(({ id }) => id))}
        />
        ${chosen.length === 0 ? 'Tick all of this page' : `${count(chosen.length)} ticked`}
      </label>
      <div class="actions">
        <${Button} action="retry" label="Retry" ...${{ chosen, busy, on }} />
        <${Button} action="cancel" label="Cancel" ...${{ chosen, busy, on }} />
      </div>
    </div>
    <div role="status">
      ${busy !== null && html`<p class="soft">One moment…</p>`}
      ${result !== null && html`<${ChangeResult} ...${result} />`}
    </div>
    ${question !== null && html`<${ChangeQuestion} ...${question} on=${on} />`}
  `;
}

function Button({ action, label, chosen, busy, on }) {
  const jobs = chosen.filter((job) => job.action === action);
  const isFree = busy === null && jobs.length > 0;
  return html`<button
    type="button"
    class="plain"
    aria-disabled=${!isFree}
    onClick=${() => isFree && on.ask(action, jobs)}
  >
    ${label}${jobs.length > 0 && ` ${count(jobs.length)}`}
  </button>`;
}
