import { RetractQuestion, Result } from '../archive/change.js';
import { Card, Facts, FindingLink, PatchLink, Table, Time } from '../elements.js';
import { count, findingCost, taskPath } from '../format.js';
import { html } from '../html.js';
import { ResultText } from './result-text.js';

const CHANGES = { File: 'mono', Added: 'number good', Removed: 'number bad', Lines: 'soft' };
const MOST_SUMMARY = 300;
const ERRORS = { Tool: 'mono tight', 'Last error': 'text' };

/** A finding, and its retraction where it is of this swarm. */
export function Page({ finding, retract, why, busy, result, on }) {
  const { citations, result_text: text, result_is_json: isJson, task } = finding;
  const canRetract = finding.status !== 'retracted' && !finding.swarm;
  const changes = finding.changes ?? finding.files_changed.map((path) => ({ path, added: '', removed: '', lines: '' }));
  const rows = changes.map(({ path, added, removed, lines }) => ({ key: path, cells: [path, added, removed, lines] }));
  const errors = (finding.tool_errors?.last ?? []).map(({ tool, error }) => ({ key: tool, cells: [tool, error] }));
  return html`
    <section class="wide">
      <h1 class="mono subject">${finding.finding_id}</h1>
      ${canRetract && html`<${Retract} ...${{ finding, busy, on }} />`}
      <div role="status">
        ${busy && html`<p class="soft">One moment…</p>`} ${result !== null && html`<${Result} ...${result} />`}
      </div>
    </section>
    ${retract !== null && html`<${RetractQuestion} ...${retract} why=${why} on=${on} />`}
    <${Card} title="Task"><pre>${task ?? '–'}</pre><//>
    <${Card} title="Result">
      <${ResultText} ...${{ text, isJson, citations }} />
    <//>
    <${Card} title="Facts" class="card half"><${Facts} of=${factsOf(finding)} /><//>
    <${Card} title="Sources" class="card half">
      ${
        citations.length === 0
          ? html`<p class="empty">It read no other finding.</p>`
          : html`<div class="chips">
              ${citations.map((cited) => html`<${FindingLink} key=${cited} id=${cited} />`)}
            </div>`
      }
    <//>
    ${errors.length > 0 && html`<${Card} title="Failed tool calls"><${Table} columns=${ERRORS} rows=${errors} /><//>`}
    ${rows.length > 0 && html`<${Card} title="Files changed"><${Table} columns=${CHANGES} rows=${rows} /><//>`}
  `;
}

function Retract({ finding: { finding_id: id, task, summary }, busy, on }) {
  return html`<div class="actions">
    <button
      type="button"
      class="plain"
      aria-disabled=${busy}
      onClick=${() => !busy && on.askRetract({ id, summary: (summary ?? task ?? '').slice(0, MOST_SUMMARY) })}
    >
      Retract…
    </button>
  </div>`;
}

function factsOf(finding) {
  const { job_id: job, cost, status } = finding;
  const queue = finding.swarm ? null : queueOf(finding); // a job of another swarm is in a queue of it
  const usage = Object.entries(finding.usage ?? {}).map(
    ([name, tokens]) => `${count(tokens)} ${name.replace('_', ' ')}`,
  );
  return [
    ['Retracted', status === 'retracted' ? html`<${Retraction} note=${finding.retracted} />` : null],
    ['When', html`<${Time} at=${finding.at} />`],
    ['Worker', finding.worker_id],
    ['Job', job && queue ? html`<a class="mono" href=${taskPath(job)}>${job}</a>` : job],
    ['Model', finding.model],
    ['Kind', finding.kind],
    ['Swarm', swarmOf(finding)],
    ['Session', finding.session],
    ['Batch', finding.batch],
    [
      'Cost',
      finding.unmetered
        ? unmetered(finding.unmetered)
        : typeof cost === 'number'
          ? findingCost(cost, finding.free_local)
          : null,
    ],
    ['Tokens', finding.unmetered ? null : usage.join(', ') || finding.tokens_used],
    ['Replayed turns', finding.recovered || null],
    ['Topics', finding.topics.join(', ') || null],
    ['Started by', chainOf(finding)],
    ['Condensed', status === 'condensed' ? html`<${FindingLink} id=${finding.summary_id} />` : null],
    ['Patch', finding.patch && !finding.swarm ? html`<${Patch} id=${finding.finding_id} ...${finding.patch} />` : null],
    ['Failed tool calls', finding.tool_errors?.failed ?? null],
    [
      'Partial',
      (finding.original_status ?? status) === 'partial'
        ? 'its worker ran out of turns, and reported what it had'
        : null,
    ],
  ].filter(([, value]) => value !== null && value !== undefined);
}

/** The other swarm that it is of. */
function swarmOf({ swarm, simulated }) {
  if (!swarm) return null;
  return simulated ? `${swarm} (SIMULATED)` : swarm;
}

/** The findings and rules that led to its task, the oldest first. Another program may have stored anything. */
function chainOf({ origin }) {
  if (!Array.isArray(origin?.chain)) return null;
  return origin.chain.map(({ rule, finding }) => `${finding} → ${rule}`).join(' → ');
}

function Patch({ id, state, files, added, removed }) {
  if (state === 'empty') return 'empty: it changed nothing';
  return html`${files} ${files === 1 ? 'file' : 'files'}, +${added} −${removed}${' '}<${PatchLink}
      id=${id}
      state=${state}
    />`;
}

/** Why, by whom and when. The note is no object if another program stored the finding as a hash. */
function Retraction({ note }) {
  return note?.why ? html`${note.why}, ${note.by}, <${Time} at=${note.at} />` : 'yes';
}

/** What an outside worker states that its work took: nobody measured it. */
function unmetered({ input, output, cost }) {
  const stated = [
    input === null ? null : `${count(input)} prompt tokens`,
    output === null ? null : `${count(output)} output tokens`,
    cost === null ? null : findingCost(cost),
  ].filter((part) => part !== null);
  return ['unmetered', ...stated].join(', ');
}

/** Returns the queue of the job that wrote the finding; null: no queue held that job. */
function queueOf({ kind, job_id: job }) {
  if (kind === 'summary' || /^single-[0-9a-f]{16}$/.test(job)) return null;
  if (kind === 'mission' || kind === 'paper' || kind === 'shard-test') return 'missions';
  return kind === 'archive' ? 'archive' : 'tasks';
}
