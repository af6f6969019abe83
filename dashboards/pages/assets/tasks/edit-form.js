import { Question } from '../elements.js';
import { usd } from '../format.js';
import { html } from '../html.js';
import { describeChange } from './change.js';
import { DEFAULT, toEdit, toTyped, turnsOf } from './edits.js';

const MODES = { fields: 'Parts of it', json: 'As JSON' };

/** The form of a task that runs again with changes: which, what it has cost, and what it likely costs again. */
export function EditQuestion({ job, edit: { form, draft, isLooking, found, problems }, on }) {
  const isRefused = Object.keys(problems).length > 0;
  const isEdited = toEdit(draft, form) !== null;
  return html`<${Question}
    title="Edit and retry"
    confirm=${isRefused ? null : isEdited ? 'Retry, edited' : 'Retry as it is'}
    busy=${isLooking || found === null}
    stays=${true}
    large=${true}
    onConfirm=${on.confirmEdit}
    onClose=${on.closeEdit}
  >
    <fieldset class="states">
      <legend>Change</legend>
      ${Object.entries(MODES).map(
        ([mode, label]) =>
          html`<label key=${mode} class="radio">
            <input
              type="radio"
              name="mode"
              checked=${draft.mode === mode}
              onChange=${() => on.type({ mode })}
            />${` ${label}`}
          </label>`,
      )}
    </fieldset>
    ${draft.mode === 'json' ? html`<${Json} ...${{ form, draft, problems, on }} />` : html`<${Fields} ...${{ form, draft, problems, on }} />`}
    <div role="status" class="looked">
      ${'' in problems && html`<p class="outcome bad">${problems['']}</p>`}
      ${isRefused && !('' in problems) && html`<p class="outcome bad">Mend the field that is marked, then it can be retried.</p>`}
      ${isLooking && html`<p class="soft">Finding out what would happen…</p>`}
      ${!isLooking && !isRefused && found !== null && html`<p>${describeChange('retry', [job], found.forecast)}</p>`}
    </div>
  <//>`;
}

/** The problem stands beside its field, and a reader of the screen hears both together. */
function Field({ name, label, problems, children }) {
  const problem = problems[name];
  return html`<div class="field">
    <label for=${`edit-${name}`}>${label}</label>
    ${children} ${problem !== undefined && html`<p id=${`problem-${name}`} class="bad">${problem}</p>`}
  </div>`;
}

/** What all fields have. */
function own(name, problems) {
  const isWrong = name in problems;
  return {
    id: `edit-${name}`,
    'aria-invalid': isWrong,
    ...(isWrong && { 'aria-describedby': `problem-${name}` }),
  };
}

function Json({ form, draft, problems, on }) {
  return html`<${Field} name="json" label="The whole task" problems=${problems}>
    <textarea
      ...${own('json', problems)}
      class="mono"
      rows="14"
      spellcheck="false"
      value=${draft.json ?? form.json}
      onInput=${(event) => on.type({ json: event.currentTarget.value })}
    ></textarea>
  <//>`;
}

/** @param now what the task names; empty: nothing, so that `otherwise` holds */
function Choice({ name, now, names, otherwise, draft, problems, typed }) {
  return html`<select ...${own(name, problems)} value=${draft[name]} onChange=${typed(name)}>
    <option value="">${now === '' ? otherwise : now}</option>
    ${now !== '' && html`<option value=${DEFAULT}>${otherwise}</option>`}
    ${names.filter((other) => other !== now).map((other) => html`<option key=${other} value=${other}>${other}</option>`)}
  </select>`;
}

function Fields({ form, draft, problems, on }) {
  const typed = (name) => (event) => on.type({ [name]: event.currentTarget.value });
  const { budgetNanoUsd } = form;
  return html`
    <${Field} name="append" label="Add to the description" problems=${problems}>
      <textarea ...${own('append', problems)} rows="3" value=${draft.append} onInput=${typed('append')}></textarea>
    <//>
    <details open=${draft.description !== null}>
      <summary><span class="path">Or rewrite it</span></summary>
      <textarea
        ...${own('description', problems)}
        aria-label="Description"
        rows="8"
        value=${draft.description ?? toTyped(form.description)}
        onInput=${typed('description')}
      ></textarea>
    </details>
    ${problems.description !== undefined && html`<p id="problem-description" class="bad">${problems.description}</p>`}
    <div class="fields">
      <${Field} name="model" label="Model" problems=${problems}>
        <${Choice}
          ...${{ name: 'model', now: form.model, names: form.models, otherwise: 'as the routes say', draft, problems, typed }}
        />
      <//>
      <${Field} name="effort" label="Effort" problems=${problems}>
        <${Choice}
          ...${{ name: 'effort', now: form.effort, names: form.efforts, otherwise: 'the default', draft, problems, typed }}
        />
      <//>
      <${Field} name="maxTurns" label="Most turns" problems=${problems}>
        <input
          ...${own('maxTurns', problems)}
          inputmode="numeric"
          autocomplete="off"
          placeholder="the default"
          value=${draft.maxTurns ?? turnsOf(form)}
          onInput=${typed('maxTurns')}
        />
      <//>
      <${Field} name="budgetUsd" label="Own budget, dollars" problems=${problems}>
        <input
          ...${own('budgetUsd', problems)}
          inputmode="decimal"
          autocomplete="off"
          placeholder=${budgetNanoUsd === null ? 'none' : usd(budgetNanoUsd)}
          value=${draft.budgetUsd}
          onInput=${typed('budgetUsd')}
        />
      <//>
    </div>
  `;
}
