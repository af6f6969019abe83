import { toAddress } from '../base.js';
import { html } from '../html.js';
import { look, row } from './row.js';

/** The notices of what no page can mend, because processes and keys are not the dashboard's: kind → the page that tells more. */
const PLACES = {
  unattended: '/workers',
  foreign: '/tasks?state=delayed,parked,failed', // what needs the key waits, or has failed
  'shard-keys': '/archive',
  blocked: '/tasks',
  unreadable: '/findings',
  trees: '/workers',
};

/** The kinds of notices that are named among what needs a person. */
export const COMMAND_KINDS = Object.keys(PLACES);

/** What needs a person at a terminal, each with its command to copy. */
export function commands({ status: { notices } }) {
  return notices
    .filter(({ kind }) => COMMAND_KINDS.includes(kind))
    .flatMap(({ kind, label, items, ...notice }) =>
      (items ?? [notice]).map(({ text, command, hint = notice.hint }) =>
        row(
          `${kind} ${label} ${command ?? text}`,
          html`<span class="badge warn">${label}</span>`,
          html`${text} ${command !== undefined && html`<div><code>${command}</code></div>`}
          ${hint !== undefined && html`<div class="soft">${hint}</div>`}`,
          command !== undefined && html`<${Copy} key="copy" command=${command} />`,
          look(toAddress(PLACES[kind])),
        ),
      ),
    );
}

/** Copies the command; where the browser allows no page to do so, it selects it. Either changes nothing of the fleet. */
function Copy({ command }) {
  const copy = async ({ currentTarget: button }) => {
    const code = button.closest('tr').querySelector('code');
    getSelection().selectAllChildren(code);
    const isCopied = await navigator.clipboard?.writeText(command).then(
      () => true,
      () => false,
    );
    button.nextElementSibling.textContent = isCopied ? 'copied' : 'selected';
  };
  return html`<span class="copy">
    <button type="button" class="plain" aria-label=${`Copy ${command}`} onClick=${copy}>Copy</button>
    <span class="soft" role="status"></span>
  </span>`;
}
