import { Question } from '../elements.js';
import { count } from '../format.js';
import { html } from '../html.js';

const answersOf = (number) => `${count(number)} ${number === 1 ? 'answer' : 'answers'}`;

/** Asks before a question uses a call. */
export function AskQuestion({ draft, on }) {
  const { question, fallback, queryId: _, ...filters } = draft;
  const only = Object.entries(filters).filter(([name]) => name !== 'question');
  return html`<${Question}
    title="Ask the archive"
    confirm="Ask"
    onConfirm=${() => on.confirmAsk(draft)}
    onClose=${on.close}
  >
    <p class="clamp">${question}</p>
    ${only.length > 0 && html`<p class="soft">Only findings of ${only.map((pair) => pair.join(' ')).join(', ')}.</p>`}
    <p>
      Answering uses a call of a shard’s
      day.${fallback ? ' Where no shard can answer, a model of another vendor does, which is paid by the token.' : ' Where no shard can answer, it waits.'}
    </p>
  <//>`;
}

/** Asks before a finding is taken out of the archive. @param citing the answers that cited it */
export function RetractQuestion({ source: { id, summary, ...source }, citing, why, on }) {
  const isEmpty = why.trim() === '';
  return html`<${Question}
    title=${`Retract ${id}`}
    confirm=${isEmpty ? null : 'Retract'}
    onConfirm=${() => on.confirmRetract({ source: { ...source, id }, citing })}
    onClose=${on.closeRetract}
  >
    <p class="soft">${summary}</p>
    <p>
      It stays readable and is marked; no librarian is shown it again.${' '}
      ${citing.count === 0 ? 'No answer cited it.' : `${answersOf(citing.count)} cited it, and stay as they are.`} It
      cannot be taken back.
    </p>
    <label
      >What is wrong with it
      <input
        name="why"
        value=${why}
        maxlength="1000"
        autocomplete="off"
        placeholder="It measured the wrong host"
        onInput=${(event) => on.why(event.currentTarget.value)}
      />
    </label>
  <//>`;
}

export function Result({ problem, id, restored, cited }) {
  if (problem !== undefined) return html`<p class="outcome bad">Not done: ${problem}</p>`;
  const parts = [
    `Retracted ${id}: no librarian is shown it any more.`,
    restored > 0 &&
      `${count(restored)} ${restored === 1 ? 'finding' : 'findings'} of the summary it took with it are live again.`,
    cited > 0 && `${answersOf(cited)} cited it; ask again where it matters.`,
  ];
  return html`<p class="outcome good">${parts.filter(Boolean).join(' ')}</p>`;
}
