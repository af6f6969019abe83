import { Question } from '../elements.js';
import { count, usd } from '../format.js';
import { html } from '../html.js';
import { MISSION_GOES_ON } from './state.js';

const MOST_ANSWER = 4_000;
const DOING = { run: 'Looking at the plan', park: 'Parking', resume: 'Resuming', answer: 'Sending the answer' };

/** The buttons, the answer, the question before the plan runs, and what became of it. */
export function Actions({ mission, plan, actions, dropped, edits, asked, busy, result, on }) {
  const has = (action) => actions.includes(action);
  const isFree = busy === null;
  const button = (action, label, does, isMain = false) =>
    html`<button
      key=${action}
      type="button"
      class=${isMain ? 'main' : 'plain'}
      aria-disabled=${!isFree}
      onClick=${() => isFree && does()}
    >
      ${label}
    </button>`;
  return html`
    ${has('answer') && html`<${AnswerForm} mission=${mission} isFree=${isFree} on=${on} />`}
    <div class="actions">
      ${has('run') && button('run', 'Approve & run', on.ask, true)}
      ${has('resume') && button('resume', mission.state === 'asks' ? 'Try again…' : 'Resume…', on.askResume)}
      ${has('park') && button('park', 'Park', on.park)}
    </div>
    ${plan?.obstacle && mission.state === 'planned' && html`<p class="soft">${plan.obstacle}</p>`}
    <div role="status">
      ${busy !== null && html`<p class="soft">${DOING[busy]}…</p>`}
      ${result !== null && html`<${Result} ...${result} />`}
    </div>
    ${asked !== null && html`<${Asked} ...${{ mission, plan, dropped, edits, asked, on }} />`}
  `;
}

/** What the mission asks, and a field for the answer. */
function AnswerForm({ mission, isFree, on }) {
  const send = (event) => {
    event.preventDefault();
    const { value } = event.currentTarget.elements.text;
    if (isFree && value.trim() !== '') on.answer(value);
  };
  return html`<form class="answer" onSubmit=${send}>
    <label for="answer">${mission.state === 'asks' ? 'Your answer' : 'Go on with an answer'}</label>
    <textarea id="answer" name="text" rows="3" maxlength=${MOST_ANSWER} required></textarea>
    <button type="submit" class="main" aria-disabled=${!isFree}>Answer</button>
  </form>`;
}

function Asked({ mission, asked, on, ...of }) {
  if (asked.action === 'run') return html`<${RunQuestion} asked=${asked} on=${on} ...${of} />`;
  return html`<${Question}
    title=${`Let mission ${mission.id} go on`}
    confirm="Let it go on"
    leave="Cancel"
    onConfirm=${on.resume}
    onClose=${on.cancel}
  >
    <p>${MISSION_GOES_ON}</p>
  <//>`;
}

/** Asks before the plan runs, and names what it will cost. */
function RunQuestion({ plan, dropped, edits, asked: { tasks, forecast, notes }, on }) {
  const { likely, worst } = forecast.cost;
  const without = dropped.size === 0 ? '' : `, without ${[...dropped].sort((a, b) => a - b).join(', ')}`;
  const edited = edits.size === 0 ? '' : `, with your changes of ${[...edits.keys()].join(', ')}`;
  return html`<${Question}
    title=${`Run ${count(tasks)} of ${count(plan.total)} ${plan.total === 1 ? 'task' : 'tasks'}`}
    confirm="Run"
    leave="Cancel"
    onConfirm=${on.run}
    onClose=${on.cancel}
  >
    <p>
      ${`The plan runs as it is shown${without}${edited}: ${usd(likely)} likely, ${usd(worst)} at worst. Nothing is planned or paid again.`}
    </p>
    ${notes.map((note) => html`<p class="soft">${note}</p>`)}
  <//>`;
}

function Result({ action, answer, problem }) {
  if (problem !== undefined) return html`<p class="outcome bad">Not done: ${problem}</p>`;
  return html`<p class="outcome good">${describe(action, answer)}</p>`;
}

function describe(action, answer) {
  switch (action) {
    case 'run':
      return answer.again ? 'It runs already; nothing was changed.' : `It runs: ${count(answer.tasks)} tasks.`;
    case 'answer':
      return `The mission has the answer as person-${answer.n} and goes on.`;
    case 'park':
      return 'Parked: nothing of it is lost.';
    default:
      return 'It goes on.';
  }
}
