import { Question } from '../elements.js';
import { count } from '../format.js';
import { html } from '../html.js';

const chainsOf = (number) => `${count(number)} ${number === 1 ? 'chain' : 'chains'}`;

/** What each action is called, and what it does. */
const QUESTIONS = {
  remove: ({ name, parked }) => ({
    title: `Remove rule ${name}`,
    confirm: 'Remove',
    text: `It starts no more tasks. Those that it started go on, and its costs stay.${parked === 0 ? '' : ` Its parked chains are dropped: ${count(parked)}.`}`,
  }),
  resume: ({ name }) => ({
    title: `Resume rule ${name}`,
    confirm: 'Resume',
    text: 'It starts a task for each finding that fits, also for those that came while it was paused, within its limits. Its tasks may cost money.',
  }),
  release: ({ name }, { taskIds }) => ({
    title: `Release ${chainsOf(taskIds.length)} of rule ${name}`,
    confirm: 'Release',
    text: `${taskIds.length === 1 ? 'Its task waits' : 'Their tasks wait'} for a worker at once, and may cost money.`,
  }),
  drop: ({ name }, { taskIds }) => ({
    title: `Drop ${chainsOf(taskIds.length)} of rule ${name}`,
    confirm: 'Drop',
    text: `${taskIds.length === 1 ? 'Its task never runs' : 'Their tasks never run'}. What the rules before it found stays.`,
  }),
};

/** Asks before a rule ends, starts paid work, or forgets some. */
export function RuleQuestion({ asked, on }) {
  const { title, confirm, text } = QUESTIONS[asked.action](asked.rule, asked.body);
  return html`<${Question}
    title=${title}
    confirm=${confirm}
    leave="Cancel"
    onConfirm=${() => on.confirm(asked)}
    onClose=${on.cancel}
  >
    <p>${text}</p>
  <//>`;
}

export function RuleResult({ name, action, answer, problem }) {
  if (problem !== undefined) return html`<p class="outcome bad">Not done: ${problem}</p>`;
  return html`<p class="outcome good">${describe(name, action, answer)}</p>`;
}

function describe(name, action, answer) {
  switch (action) {
    case 'pause':
      return 'Paused: it starts nothing and misses nothing.';
    case 'resume':
      return 'It goes on from its place.';
    case 'remove':
      return `Rule ${name} is gone.`;
    case 'release':
      return `Released: ${count(answer.released)} ${answer.released === 1 ? 'task waits' : 'tasks wait'} for a worker.`;
    default:
      return `Dropped: ${chainsOf(answer.dropped)}.`;
  }
}
