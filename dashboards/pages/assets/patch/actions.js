import { Question } from '../elements.js';
import { count } from '../format.js';
import { html } from '../html.js';

const LABELS = { apply: 'Apply', discard: 'Discard', undo: 'Undo' };
const DONE = { applied: 'Applied', already: 'In HEAD already', discarded: 'Discarded', undone: 'Undone' };
const DOING = { apply: 'Applying', discard: 'Discarding', undo: 'Undoing' };
const ADVICE = {
  conflict: (id) => html`By a merge with the versions that it was made from: <code>fleet apply --3way ${id}</code>`,
  dirty: () => 'Commit or stash it, then try again.',
};

/** The buttons, the question before a change, and what became of it. */
export function Actions({ patch, actions, obstacle, asked, busy, result, on }) {
  return html`
    <div class="actions">
      ${actions.map(
        (action) =>
          html`<button
            key=${action}
            type="button"
            class=${action === 'apply' ? 'main' : 'plain'}
            disabled=${obstacle !== null}
            aria-disabled=${busy !== null}
            aria-describedby=${obstacle === null ? undefined : 'obstacle'}
            onClick=${() => busy === null && on.ask(action)}
          >
            ${LABELS[action]}
          </button>`,
      )}
    </div>
    ${obstacle !== null && actions.length > 0 && html`<p id="obstacle" class="soft">${obstacle}</p>`}
    <div role="status">
      ${busy !== null && busy.seconds > 0 && html`<p>${busy.dryRun ? 'Finding out what would happen' : DOING[busy.action]}… ${busy.seconds} s</p>`}
      ${result !== null && html`<${Result} id=${patch.id} ...${result} />`}
    </div>
    ${asked !== null && html`<${ChangeQuestion} patch=${patch} ...${asked} on=${on} />`}
  `;
}

/** Asks before a change, and names what it does. */
function ChangeQuestion({ patch, action, onto, on }) {
  return html`<${Question}
    title=${`${LABELS[action]}: ${patch.subject}`}
    confirm=${LABELS[action]}
    leave="Cancel"
    onConfirm=${() => on.confirm(action)}
    onClose=${on.cancel}
  >
    <p>${describe(patch, action, onto)}</p>
  <//>`;
}

function describe({ workspace, files, added, removed, branch, applied }, action, onto) {
  const place = `${onto === null ? 'a detached HEAD' : onto} in workspace ${workspace}`;
  const size = `${count(files)} ${files === 1 ? 'file' : 'files'}, +${count(added)} −${count(removed)}`;
  if (action === 'apply') return `1 commit on ${place}: ${size}. What you have not committed stays as it is.`;
  if (action === 'undo') return `1 commit on ${place} that takes ${applied?.commit.slice(0, 10)} back: ${size}.`;
  return `The working tree of the task and its branch ${branch} are removed: ${size}. The patch can be applied for 7 more days.`;
}

function Result({ id, action, onto, report, problem }) {
  if (problem !== undefined) return html`<p class="outcome bad">Not done: ${problem}</p>`;
  const [one] = report?.patches ?? [];
  if (one === undefined) return null;
  const { outcome, commit, paths, why } = one;
  const done = DONE[outcome];
  return html`
    ${
      done !== undefined
        ? html`<p class="outcome good">
            ${done}${commit !== null && action !== 'discard' && html` as <code>${commit.slice(0, 10)}</code>`}${
              outcome !== 'already' && typeof onto === 'string' && ` on ${onto}`
            }.
          </p>`
        : html`<p class="outcome bad">Left out, nothing was changed (${outcome}): ${why}</p>
            ${
              paths.length > 0 &&
              html`<ul class="paths mono">
                ${paths.map((path) => html`<li key=${path}>${path}</li>`)}
              </ul>`
            }
            ${ADVICE[outcome] && html`<p class="soft">${ADVICE[outcome](id)}</p>`}`
    }
    ${(report.notes ?? []).map((note) => html`<p class="soft">${note}</p>`)}
  `;
}
