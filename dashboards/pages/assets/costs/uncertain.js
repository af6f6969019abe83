import { Card, Question, Table, Time } from '../elements.js';
import { count, taskPath, usd } from '../format.js';
import { html } from '../html.js';

const COLUMNS = {
  Tick: 'tick',
  Begun: 'tight',
  Job: 'text',
  Model: 'tight soft',
  Worker: 'soft of',
  Booked: 'number',
  Uncertain: 'number',
};
const VERDICTS = { paid: 'Settle as paid', unpaid: 'Settle as unpaid' };

const callsOf = (number) => `${count(number)} ${number === 1 ? 'call' : 'calls'}`;

/** The calls that ended before their replies were stored, and a person's word for what they cost. */
export function Uncertain({ uncertain: { count: all, nanoUsd, calls }, ticked, why, question, busy, result, on }) {
  const chosen = calls.filter(({ id }) => ticked.has(id));
  return html`<${Card} title="Uncertain cost">
    <div role="status">
      ${busy && html`<p class="soft">One moment…</p>`} ${result !== null && html`<${Result} ...${result} />`}
    </div>
    ${all === 0 && html`<p class="empty">No call is of uncertain cost.</p>`}
    ${
      all > 0 &&
      html`<p>
          ${callsOf(all)} ended before ${all === 1 ? 'its reply was' : 'their replies were'} stored: at most
          ${` ${usd(nanoUsd)}`}, which counts against the budget of the day until it is settled.
          ${all > calls.length && ` The oldest ${count(calls.length)}:`}
        </p>
        <${Calls} calls=${calls} ...${{ ticked, busy, on }} />
        <${Verdict} chosen=${chosen} ...${{ why, busy, on }} />`
    }
    ${question !== null && html`<${Confirmation} ...${question} why=${why} on=${on} />`}
  <//>`;
}

function Calls({ calls, ticked, busy, on }) {
  const isAll = calls.every(({ id }) => ticked.has(id));
  const rows = calls.map(({ id, at, jobId, turn, model, worker, nanoUsd, bookedNanoUsd }) => ({
    key: id,
    cells: [
      html`<input
        type="checkbox"
        aria-label=${`Tick turn ${turn} of ${jobId}`}
        checked=${ticked.has(id)}
        disabled=${busy}
        onChange=${() => on.tick(id)}
      />`,
      html`<${Time} at=${at} />`,
      html`<a class="mono" href=${taskPath(jobId)}>${jobId}</a> <span class="soft">turn ${turn}</span>`,
      model ?? 'unknown',
      worker,
      usd(bookedNanoUsd, 6),
      usd(nanoUsd, 6),
    ],
  }));
  return html`<div class="bulk">
      <label>
        <input
          type="checkbox"
          checked=${isAll}
          disabled=${busy}
          onChange=${() => on.tickAll(calls.map(({ id }) => id))}
        />
        ${ticked.size === 0 ? 'Tick all of this page' : `${count(ticked.size)} ticked`}
      </label>
    </div>
    <${Table} class="stack list" columns=${COLUMNS} rows=${rows} />`;
}

function Verdict({ chosen, why, busy, on }) {
  const isFree = !busy && chosen.length > 0 && why.trim() !== '';
  return html`<form class="verdict" onSubmit=${(event) => event.preventDefault()}>
    <label
      >How you know
      <input
        name="why"
        value=${why}
        maxlength="1000"
        autocomplete="off"
        placeholder="The provider’s console shows no such call"
        onInput=${(event) => on.why(event.currentTarget.value)}
      />
    </label>
    <div class="actions">
      ${Object.entries(VERDICTS).map(
        ([verdict, label]) =>
          html`<button
            key=${verdict}
            type="button"
            class="plain"
            aria-disabled=${!isFree}
            onClick=${() => isFree && on.ask(verdict, chosen)}
          >
            ${label}${chosen.length > 0 && ` ${count(chosen.length)}`}
          </button>`,
      )}
    </div>
  </form>`;
}

function Confirmation({ verdict, calls, why, on }) {
  const title = `${VERDICTS[verdict]}: ${callsOf(calls.length)}`;
  const amount = usd(calls.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0));
  const effect =
    verdict === 'paid'
      ? `${amount} is booked to the days of these calls.`
      : `${amount} counts no longer against any budget. If the provider bills it after all, the fleet has spent more than its books say.`;
  return html`<${Question}
    title=${title}
    confirm=${title}
    onConfirm=${() => on.confirm({ verdict, calls })}
    onClose=${on.close}
  >
    <p>${effect} Jobs that are parked for this money go on. It cannot be taken back.</p>
    <p class="soft">${why}</p>
  <//>`;
}

function Result({ answer, problem }) {
  if (problem !== undefined) return html`<p class="outcome bad">Not done: ${problem}</p>`;
  const { verdict, settled, known, nanoUsd, released, isHalted } = answer;
  const effect = verdict === 'paid' ? 'is booked' : 'counts no longer against any budget';
  const parts = [
    settled > 0 && `Settled as ${verdict}: ${callsOf(settled)}, ${usd(nanoUsd)} ${effect}.`,
    known > 0 && `${callsOf(known)} ${known === 1 ? 'was' : 'were'} settled before.`,
    released > 0 && `${count(released)} parked ${released === 1 ? 'job waits' : 'jobs wait'} for a worker again.`,
    isHalted && 'The fleet is halted for its budget: fleet resume goes on.',
  ];
  return html`<p class="outcome good">${parts.filter(Boolean).join(' ')}</p>`;
}
