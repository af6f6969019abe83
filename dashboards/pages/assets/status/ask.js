import { Dialog } from '../elements.js';
import { usd } from '../format.js';
import { html } from '../html.js';

/**
 * Asks before the fleet is changed. `asked.change` is `halt`, `resume` with the `halt` to lift, or `budget` with its `scope` (null: the
 * day's), its `title`, and its `limitNanoUsd` and `usedNanoUsd` if they are known.
 */
export function Ask({ asked, on }) {
  if (asked === null) return null;
  const { title, confirm, field, go } = toForm(asked, on);
  // Closing it, not only removing it, gives the focus back to the button.
  const close = (event) => event.currentTarget.closest('dialog').close();
  const send = (event) => {
    event.preventDefault();
    const value = event.currentTarget.elements.value?.value.trim();
    close(event);
    go(value);
  };
  return html`<${Dialog} key=${title} title="ask" onClose=${on.closeFleet}>
    <form onSubmit=${send}>
      <h2 id="ask">${title}</h2>
      ${field}
      <div class="actions">
        <button type="submit" class="main">${confirm}</button>
        <button type="button" class="plain" onClick=${close}>Leave it</button>
      </div>
    </form>
  <//>`;
}

function toForm(asked, on) {
  switch (asked.change) {
    case 'halt':
      return {
        title: 'Halt the fleet',
        confirm: 'Halt',
        go: (reason) => on.halt(reason),
        field: html`<p>No call is begun any more; calls under way end. Nothing is lost, and a person lifts the halt.</p>
          <label>Reason <input name="value" required maxlength="1000" autocomplete="off" autofocus /></label>`,
      };
    case 'resume':
      return {
        title: 'Lift the halt',
        confirm: 'Lift it',
        go: () => on.resume(asked.halt.at),
        field: html`<p>${`It was halted for ${asked.halt.reason}. Work begins again at once, and may cost money.`}</p>`,
      };
    default:
      return {
        title: asked.title,
        confirm: 'Set it',
        go: (limitUsd) => on.setBudget(limitUsd, asked.scope),
        field: html`<p>${describeBudget(asked)}</p>
          <label
            >US dollars
            <input
              name="value"
              inputmode="decimal"
              pattern="[0-9]+([.][0-9]+)?"
              title="decimal dollars, such as 20 or 0.50"
              required
              autocomplete="off"
              autofocus
          /></label>`,
      };
  }
}

function describeBudget({ scope, limitNanoUsd = null, usedNanoUsd = null }) {
  const limit = limitNanoUsd === null ? 'It has no limit that this page knows' : `It is ${usd(limitNanoUsd)} now`;
  const used = usedNanoUsd === null ? '' : `, of which ${usd(usedNanoUsd)} is spent or reserved`;
  return `${limit}${used}.${scope === null ? '' : ' What it had parked waits for a worker again.'}`;
}
