import { html } from '../html.js';

/** Filters of the findings that the answer is drawn from: name → label and an example. */
const FILTERS = {
  session: ['Session', 'name of a session'],
  mission: ['Mission', 'id of a mission'],
  batch: ['Batch', 'nightly'],
  topic: ['Topic', 'pricing'],
  since: ['Since', '12h, 7d, a date'],
  swarm: ['Other swarm', 'its name, or all'],
  context: ['Memory context', 'name of a document'],
};

/** The question, and from which findings it is answered. */
export function AskBox({ busy, on }) {
  const submit = (event) => {
    event.preventDefault();
    const { fallback, ...given } = Object.fromEntries(new FormData(event.currentTarget));
    const fields = Object.entries(given).filter(([, value]) => value.trim() !== '');
    if (!busy && given.question.trim() !== '') on.ask({ ...Object.fromEntries(fields), fallback: fallback === 'on' });
  };
  return html`<form class="wide ask" onSubmit=${submit}>
    <h1>Ask the archive</h1>
    <div class="search">
      <input
        name="question"
        type="search"
        maxlength="20000"
        autocomplete="off"
        placeholder="What did the fleet find out?"
        aria-label="Question"
      />
      <button type="submit" aria-disabled=${busy}>Ask</button>
    </div>
    <details>
      <summary><span class="path">Which findings, and who answers</span></summary>
      <div class="fields">
        ${Object.entries(FILTERS).map(
          ([name, [label, example]]) =>
            html`<label key=${name}
              >${label}
              <input name=${name} placeholder=${example} maxlength="200" autocomplete="off" />
            </label>`,
        )}
        <label class="check"
          ><input type="checkbox" name="fallback" defaultChecked=${true} /> Another vendor may answer where no shard
          can</label
        >
      </div>
    </details>
  </form>`;
}
