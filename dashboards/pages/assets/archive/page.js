import { toAddress } from '../base.js';
import { Card, Table, Time } from '../elements.js';
import { count, taskPath } from '../format.js';
import { html } from '../html.js';
import { Shards } from '../status/shards.js';
import { Answer } from './answer.js';
import { AskBox } from './ask.js';
import { AskQuestion, Result, RetractQuestion } from './change.js';

const COLUMNS = { When: 'tight', Question: 'text', Answer: 'text', Sources: 'number', Model: 'tight soft' };

/** @param asked the question of the address; null: none */
export function Page({ asked, job, answer, answers, status, draft, retract, why, busy, result, on }) {
  return html`
    <${AskBox} busy=${busy} on=${on} />
    <div class="wide plainly" role="status">
      ${busy && html`<p class="soft">One moment…</p>`} ${result !== null && html`<${Result} ...${result} />`}
    </div>
    ${draft !== null && html`<${AskQuestion} draft=${draft} on=${on} />`}
    ${retract !== null && html`<${RetractQuestion} ...${retract} why=${why} on=${on} />`}
    ${asked !== null && answer === null && html`<${Waiting} asked=${asked} job=${job} />`}
    ${answer !== null && html`<${Answer} answer=${answer} busy=${busy} on=${on} />`}
    ${status !== null && html`<${ArchiveState} ...${status} />`}
    ${answers !== null && html`<${Answers} answers=${answers} />`}
  `;
}

/** A question without an answer so far: where it is, and what helps it. */
function Waiting({ asked, job }) {
  if (job === null) return html`<section class="wide"><p class="empty">Reading…</p></section>`;
  const { text, state, waits, failure } = job;
  return html`<${Card} title="Your question">
    <p class="said">${text ?? asked}</p>
    <p class=${failure === null ? 'soft' : 'bad'}>
      ${failure !== null && `${failure.reason}: ${failure.text} `}
      ${failure === null && (state === 'running' ? 'A librarian answers it.' : 'It waits for a librarian.')}
      ${waits !== null && ` ${waits.why}`}${waits !== null && waits.command !== '' && html`: <code>${waits.command}</code>`}
    </p>
    <p><a href=${taskPath(asked)}>Its timeline</a></p>
  <//>`;
}

/** What the archive holds, and the shards with their state. */
function ArchiveState({ findings, shards, archiveNotice, keyConflicts }) {
  return html`
    <${Card} title="Archive">
      <p>
        ${`${count(findings.live)} ${findings.live === 1 ? 'finding' : 'findings'}, ${count(findings.contextTokens)} tokens. `}
        <a href=${toAddress('/findings')}>All findings</a>
      </p>
      ${archiveNotice && html`<p class="warntext">${archiveNotice}</p>`}
      ${keyConflicts.map(
        ({ shard }) =>
          html`<p key=${shard} class="warntext">
            Shard ${shard}: librarians have different keys; <code>fleet reload</code> on the wrong host.
          </p>`,
      )}
      ${shards.length === 0 && html`<p class="soft">No shard is configured for this dashboard.</p>`}
    <//>
    <${Shards} shards=${shards} />
  `;
}

function Answers({ answers }) {
  const rows = answers.map(({ id, at, question, summary, sources, model, isRetracted }) => ({
    key: id,
    cells: [
      html`<${Time} at=${at} />`,
      html`<a href=${toAddress(`/archive?asked=${encodeURIComponent(id)}`)}>${question || id}</a>`,
      html`${isRetracted && html`<span class="badge warn">retracted</span> `}${summary}`,
      count(sources),
      model,
    ],
  }));
  return html`<${Card} title="The newest answers">
    ${
      rows.length === 0
        ? html`<p class="empty">Nothing was asked yet.</p>`
        : html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />`
    }
  <//>`;
}
