import { toAddress } from './base.js';
import { html } from './html.js';
import { focusSuccessor } from './kept-focus.js';

export function Card({ title, class: name = 'wide', children }) {
  return html`<section class=${name}>
    <h2>${title}</h2>
    ${children}
  </section>`;
}

/** The main number of a card, followed by a note. */
export function Figure({ value, note, class: name = '' }) {
  return html`<div class="figure">${value}${' '}${note && html`<small class=${name}>${note}</small>`}</div>`;
}

/** A bar from 0 to `max`. `low`, `high` and `optimum` set its colour, as in HTML's `meter`. */
export function Meter({ label, ...range }) {
  return html`<meter min="0" ...${range} aria-label=${label}></meter>`;
}

/** Names and values, side by side. */
export function Facts({ of: facts }) {
  return html`<dl>
    ${facts.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

/**
 * A table. On a narrow screen it has no head, and each cell of a `number` column shows its heading.
 * @param columns heading → class of the column
 * @param rows each has a `key` that does not change, so that a refresh keeps focus and selection
 */
export function Table({ columns, rows, class: name = '', head = true }) {
  const headings = Object.entries(columns);
  return html`<div class="scroll">
    <table class=${name}>
      ${
        head &&
        html`<thead>
          <tr>
            ${headings.map(
              ([heading, column]) =>
                html`<th key=${heading} class=${column.includes('number') ? 'number' : ''} scope="col">${heading}</th>`,
            )}
          </tr>
        </thead>`
      }
      <tbody>
        ${rows.map(
          ({ key, cells }) =>
            html`<tr key=${key}>
              ${headings.map(
                ([heading, column], i) =>
                  html`<td key=${heading} class=${column} data-heading=${heading}>${cells[i]}</td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Local date and time, with the exact instant as a tooltip. */
export function Time({ at }) {
  const date = new Date(at);
  if (!at || Number.isNaN(date.getTime()) || date.getTime() === 0) return html`<span class="soft">–</span>`;
  const isToday = date.toDateString() === new Date().toDateString();
  const text = isToday ? date.toLocaleTimeString('en-GB') : date.toLocaleString('en-GB');
  return html`<time datetime=${at} title=${at}>${text}</time>`;
}

const AGE_UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
];

/** How long ago: `12m`, the largest unit alone, with the exact instant as a tooltip. @param now by the server's clock */
export function Age({ at, now }) {
  const ms = Math.max(0, Date.parse(now) - Date.parse(at));
  const [length, letter] = AGE_UNITS.find(([unit]) => ms >= unit) ?? AGE_UNITS.at(-1);
  return html`<time datetime=${at} title=${at}>${Math.floor(ms / length)}${letter}</time>`;
}

/**
 * Asks before a change. Enter in one of its fields confirms, too.
 * @param confirm label of the button that confirms; null: it cannot be done
 * @param leave label of the button that leaves it
 * @param busy it cannot be confirmed at the moment
 * @param stays it stays open until `onConfirm` returns true: what a person typed is not lost if it is refused
 * @param large it has many fields
 * @param onConfirm gets the text of the field `value`, if there is one
 * @param onClose it is to be drawn no more
 */
export function Question({ title, confirm, leave = 'Leave it', ...more }) {
  const { busy = false, stays = false, large = false, onConfirm, onClose, children } = more;
  const open = (element) => element && !element.open && element.showModal();
  // The event comes a moment after the dialog was closed: by then it, or another one, may ask the next question.
  const end = ({ currentTarget: dialog }) => !dialog.open && dialog.isConnected && onClose();
  // Closing it, not only removing it, gives the focus back to the button.
  const shut = (dialog) => {
    const root = dialog.closest('main');
    dialog.close();
    if (document.activeElement === document.body) focusSuccessor(root, null); // the button is gone
  };
  const close = (event) => shut(event.currentTarget.closest('dialog'));
  const go = async (event) => {
    event.preventDefault();
    if (confirm === null || busy) return;
    const { currentTarget: form } = event;
    const dialog = form.closest('dialog');
    if (!stays) shut(dialog);
    const isDone = await onConfirm(form.elements.value?.value.trim());
    if (stays && isDone === true) shut(dialog);
  };
  return html`<dialog key=${title} ref=${open} class=${large ? 'large' : ''} aria-labelledby="question" onClose=${end}>
    <form onSubmit=${go}>
      <h2 id="question">${title}</h2>
      ${children}
      <div class="actions">
        ${confirm !== null && html`<button type="submit" class="main" aria-disabled=${busy}>${confirm}</button>`}
        <button type="button" class="plain" onClick=${close}>${confirm === null ? 'Close' : leave}</button>
      </div>
    </form>
  </dialog>`;
}

export function FindingLink({ id }) {
  return html`<a class="mono" href=${toAddress(`/findings/${encodeURIComponent(id)}`)}>${id}</a>`;
}

/** The state of a patch. Those that wait for a person are marked. */
export function PatchState({ state }) {
  return html`<span class=${state === 'conflict' ? 'badge warn' : 'badge'}>${state}</span>`;
}

const PATCH_STATES = ['pending', 'conflict', 'applied', 'discarded'];

/** A link to a finding's patch, with its state. Nothing where it has none, or an empty one. */
export function PatchLink({ id, state }) {
  if (!PATCH_STATES.includes(state)) return null;
  return html`<a
    class=${`badge ${state === 'conflict' ? 'warn' : ''}`}
    href=${toAddress(`/patches/${encodeURIComponent(id)}`)}
    >patch ${state}</a
  >`;
}

/** The first words of a finding's result, marked if its worker ran out of turns, or if tool calls of it failed. */
export function Summary({ of: text, partial, toolErrors }) {
  const marks = [partial && 'partial', toolErrors > 0 && `${toolErrors} tool error${toolErrors === 1 ? '' : 's'}`];
  return html`${marks.filter(Boolean).map((mark) => html`<span class="badge warn">${mark}</span>${' '}`)}${text || '–'}`;
}
