import { toAddress } from '../base.js';
import { html } from '../html.js';
import { openFiltered } from '../open-filtered.js';

const STATES = ['running', 'waiting', 'delayed', 'parked', 'failed', 'cancelled', 'done'];
/** Fields below the words: name in the address → label and an example. */
const FIELDS = {
  since: ['Since', '12h, 7d, a date'],
  batch: ['Batch', 'nightly'],
  mission: ['Mission', 'id of a mission'],
  model: ['Model', 'claude-haiku-5-5'],
  worker: ['Worker', 'haiku_host_1'],
  session: ['Session', 'name of a session'],
  client: ['Client', 'who pays'],
  reason: ['Reason', 'schema, timeout, budget'],
  'cost-above': ['Cost above', '0.05'],
};

/** The names of the filters in the address. */
export const FILTERS = ['words', 'state', ...Object.keys(FIELDS)];

/** @param asked the filters of the address */
export function Filters({ asked }) {
  const states = (asked.get('state') ?? '').split(',');
  const isOpen = Object.keys(FIELDS).some((name) => asked.has(name));
  return html`<form
    class="wide filters"
    role="search"
    aria-label="Filters"
    onSubmit=${(event) => openFiltered(event, '/tasks', FILTERS)}
  >
    <h1 class="unseen">Tasks</h1>
    <div class="search">
      <input
        name="words"
        type="search"
        placeholder="Words of its text, or its id"
        aria-label="Words"
        defaultValue=${asked.get('words') ?? ''}
      />
      <button type="submit" class="reads">Show</button>
    </div>
    <fieldset class="states">
      <legend>State</legend>
      ${STATES.map(
        (state) =>
          html`<label key=${state}>
            <input type="checkbox" name="state" value=${state} defaultChecked=${states.includes(state)} /> ${state}
          </label>`,
      )}
    </fieldset>
    <details open=${isOpen}>
      <summary><span class="path">More filters</span></summary>
      <div class="fields">
        ${Object.entries(FIELDS).map(
          ([name, [label, example]]) =>
            html`<label key=${name}>
              ${label}
              <input name=${name} placeholder=${example} defaultValue=${asked.get(name) ?? ''} autocomplete="off" />
            </label>`,
        )}
      </div>
    </details>
    ${[...asked].length > 0 && html`<p class="size"><a href=${toAddress('/tasks')}>Show all, the newest first</a></p>`}
  </form>`;
}
