import { Question } from '../elements.js';
import { count, exactUsd } from '../format.js';
import { html } from '../html.js';
import { MISSION_GOES_ON } from '../mission/state.js';

/**
 * Asks before the fleet is changed. `asked.change` is `halt`, `resume` with the `halt` to lift, `mission` with the `id` of one that goes on, or `budget` with its `scope` (null: the
 * day's), its `title`, its `limitNanoUsd`, `usedNanoUsd` and `released` (jobs that it would release) if they are known, and the `problem`:
 * why the one that was typed is refused.
 */
export function Ask({ asked, on }) {
  if (asked === null) return null;
  const { title, confirm, field, go, stays = false } = toForm(asked, on);
  return html`<${Question} title=${title} confirm=${confirm} stays=${stays} onConfirm=${go} onClose=${on.closeFleet}
    >${field}<//
  >`;
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
    case 'mission':
      return {
        title: `Let mission ${asked.id} go on`,
        confirm: 'Let it go on',
        go: () => on.mission(asked.id, 'resume'),
        field: html`<p>${MISSION_GOES_ON}</p>`,
      };
    default:
      return {
        title: asked.title,
        confirm: 'Set it',
        stays: true,
        go: (limitUsd) => on.setBudget(limitUsd, asked.scope),
        field: html`<p>${describeBudget(asked)}</p>
          <label
            >US dollars
            <input
              name="value"
              inputmode="decimal"
              pattern="[ ]*[0-9]+([.][0-9]+)?[ ]*"
              title="decimal dollars, such as 20 or 0.50"
              required
              autocomplete="off"
              autofocus
          /></label>
          <div role="status">
            ${asked.problem !== undefined && html`<p class="outcome bad">${`Not done: ${asked.problem}`}</p>`}
          </div>`,
      };
  }
}

function describeBudget({ scope, limitNanoUsd = null, usedNanoUsd = null, released = null }) {
  const limit = limitNanoUsd === null ? 'It has no limit that this page knows' : `It is ${exactUsd(limitNanoUsd)} now`;
  const used = usedNanoUsd === null ? '' : `, of which ${exactUsd(usedNanoUsd)} is spent or reserved`;
  return `${limit}${used}.${scope === null ? '' : ` ${describeReleased(released)}`}`;
}

function describeReleased(released) {
  if (released === null) return 'What it had parked waits for a worker again.';
  if (released === 0) return 'No job is parked for it.';
  return `${count(released)} ${released === 1 ? 'job that is parked for it waits' : 'jobs that are parked for it wait'} for a worker again.`;
}
