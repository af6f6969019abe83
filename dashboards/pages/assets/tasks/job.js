import { toAddress } from '../base.js';
import { Card, Facts, FindingLink, PatchLink } from '../elements.js';
import { jobPath, missionPath, usd } from '../format.js';
import { html } from '../html.js';
import { ChangeQuestion, ChangeResult } from './change.js';
import { StateBadge } from './state.js';
import { Timeline } from './timeline.js';

const LABELS = { retry: 'Retry', cancel: 'Cancel' };

/** What a person does comes first, then what happened, then what came of it. */
export function Page({ page: { job, timeline }, finding, question, busy, result, on }) {
  const { id, kind, text, isCut, waits, failure, action, costNanoUsd } = job;
  return html`
    <section class="wide">
      <h1 class="subject clamp">${text ?? id}</h1>
      <p class="soft size">
        ${job.state === null ? html`<span class="badge">in no queue any more</span>` : html`<${StateBadge} state=${job.state} />`}${' '}
        ${kind}${' '}<span class="mono">${id}</span>${costNanoUsd !== null && `, ${usd(costNanoUsd, 6)}`}
      </p>
      ${waits !== null && html`<${Next} ...${waits} />`}
      ${failure !== null && html`<p class=${job.state === 'failed' ? 'outcome bad' : 'outcome soft'}>${failure.reason}: ${failure.text}</p>`}
      <div class="actions">
        ${
          action !== null &&
          html`<button
            type="button"
            class=${action === 'retry' ? 'main' : 'plain'}
            aria-disabled=${busy !== null}
            onClick=${() => busy === null && on.ask(action, [job])}
          >
            ${LABELS[action]}
          </button>`
        }
        ${kind === 'mission' && html`<a class="plain" href=${missionPath(id)}>Its plan and choices</a>`}
      </div>
      <div role="status">
        ${busy !== null && html`<p class="soft">One moment…</p>`}
        ${result !== null && html`<${ChangeResult} ...${result} />`}
      </div>
    </section>
    ${question !== null && html`<${ChangeQuestion} ...${question} on=${on} />`}
    <${Timeline} entries=${timeline} isRecorded=${job.isRecorded} />
    ${finding !== null && html`<${Result} finding=${finding} />`}
    <${Card} title="Facts" class="card half"><${Facts} of=${factsOf(job, finding)} /><//>
    ${
      text !== null &&
      html`<${Card} title="What was asked" class="card half">
        <pre>${text}</pre>
        ${isCut && html`<p class="soft">The text goes on; fleet job ID --json has all of it.</p>`}
      <//>`
    }
  `;
}

/** Why the job does not run, and what helps. An empty command: no one needs to do anything. */
function Next({ why, command }) {
  return html`<p class="outcome">
    ${why.slice(0, 1).toUpperCase() + why.slice(1)}${command !== '' && html`: <code>${command}</code>`}
  </p>`;
}

function Result({ finding: { result_text: result, citations } }) {
  return html`<${Card} title="Result">
    <pre>${result}</pre>
    ${
      citations.length > 0 &&
      html`<p class="soft size">Sources</p>
        <div class="chips">${citations.map((cited) => html`<${FindingLink} key=${cited} id=${cited} />`)}</div>`
    }
  <//>`;
}

function factsOf({ id, queue, model, batch, mission, worker, findingId }, finding) {
  const patch = finding?.patch?.state;
  return [
    ['Finding', findingId && html`<${FindingLink} id=${findingId} />`],
    ['Patch', patch && patch !== 'empty' ? html`<${PatchLink} id=${findingId} state=${patch} />` : null],
    ['Batch', batch && html`<a href=${toAddress(`/tasks?batch=${encodeURIComponent(batch)}`)}>${batch}</a>`],
    ['Mission', mission && mission !== id && html`<a class="mono" href=${missionPath(mission)}>${mission}</a>`],
    ['Model', finding?.model ?? model],
    ['Worker', worker],
    ['In its queue', queue && html`<a href=${jobPath(queue, id)}>log, data and edit</a>`],
  ].filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false);
}
