import { Question } from '../elements.js';
import { count } from '../format.js';
import { html } from '../html.js';

/** Text, model and reason of one planned task. */
export function TaskQuestion({ editing: { form, draft, problem, isLooking }, on }) {
  const { task, entries, models, reasons } = form;
  const names = models.some(({ name }) => name === draft.model) ? models : [...models, { name: draft.model }];
  const isExpensive = names.find(({ name }) => name === draft.model)?.isExpensive ?? draft.reason !== '';
  const typed = (name) => (event) => on.typeEdit({ [name]: event.currentTarget.value });
  return html`<${Question}
    title=${`Edit ${task}`}
    confirm="Keep it"
    busy=${isLooking}
    stays=${true}
    large=${true}
    onConfirm=${on.keepEdit}
    onClose=${on.closeEdit}
  >
    ${entries !== null && html`<p class="soft">${`It becomes ${count(entries)} tasks: {item} stands for what each is about.`}</p>`}
    <label
      >What it is to do
      <textarea rows="6" value=${draft.description} onInput=${typed('description')}></textarea>
    </label>
    <div class="fields choices">
      <div>
        <label for="edit-model">Model</label>
        <select id="edit-model" value=${draft.model} onChange=${typed('model')}>
          ${names.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select>
      </div>
      ${
        isExpensive &&
        html`<div>
          <label for="edit-reason">Why this model</label>
          <select id="edit-reason" value=${draft.reason} onChange=${typed('reason')}>
            <option value="">choose one</option>
            ${reasons.map((reason) => html`<option key=${reason} value=${reason}>${reason}</option>`)}
          </select>
        </div>`
      }
    </div>
    <div role="status">
      ${problem !== null && html`<p class="outcome bad">${problem}</p>`}
      ${isLooking && html`<p class="soft">One moment…</p>`}
    </div>
  <//>`;
}
