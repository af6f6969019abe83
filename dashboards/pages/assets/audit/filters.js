import { toAddress } from '../base.js';
import { html } from '../html.js';
import { openFiltered } from '../open-filtered.js';

/** The names of the filters in the address. */
export const FILTERS = ['what', 'who', 'since'];

/** @param asked the filters of the address. @param verbs all that can be asked for; empty until they are read */
export function Filters({ asked, verbs }) {
  return html`<form class="wide filters" role="search" onSubmit=${(event) => openFiltered(event, '/audit', FILTERS)}>
    <div class="fields audit">
      <label>
        What
        <input
          name="what"
          list="verbs"
          placeholder="halt,budget"
          defaultValue=${asked.get('what') ?? ''}
          autocomplete="off"
        />
      </label>
      <datalist id="verbs">${verbs.map((verb) => html`<option key=${verb} value=${verb}></option>`)}</datalist>
      <label>
        Who
        <input
          name="who"
          placeholder="a person, login or client"
          defaultValue=${asked.get('who') ?? ''}
          autocomplete="off"
        />
      </label>
      <label>
        Since
        <input name="since" placeholder="12h, 7d, a date" defaultValue=${asked.get('since') ?? ''} autocomplete="off" />
      </label>
      <button type="submit" class="reads">Show</button>
    </div>
    ${[...asked].length > 0 && html`<p class="size"><a href=${toAddress('/audit')}>Show all, the newest first</a></p>`}
  </form>`;
}
