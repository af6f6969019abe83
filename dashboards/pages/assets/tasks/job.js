import { toAddress } from '../base.js';
import { Card, Facts, FindingLink, Meter, PatchLink } from '../elements.js';
import { ResultText } from '../finding/result-text.js';
import { exactUsd, jobPath, missionPath, usd } from '../format.js';
import { html } from '../html.js';
import { Diff } from '../patch/diff.js';
import { Ask } from '../status/ask.js';
import { ChangeQuestion, ChangeResult } from './change.js';
import { EditQuestion } from './edit-form.js';
import { StateBadge } from './state.js';
import { Timeline } from './timeline.js';

const LABELS = { retry: 'Retry', cancel: 'Cancel' };

/** What a person does comes first, then what happened, then what came of it. */
export function Page({ page: { job, timeline, budget }, finding, patch, question, edit, asked, busy, result, on }) {
  const { id, kind, text, isCut, waits, failure, action, costNanoUsd } = job;
  const isFree = busy === null;
  const canEdit = kind === 'task' && ['failed', 'cancelled', 'parked'].includes(job.state);
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
            aria-disabled=${!isFree}
            onClick=${() => isFree && on.ask(action, [job])}
          >
            ${LABELS[action]}
          </button>`
        }
        ${
          canEdit &&
          html`<button type="button" class="plain" aria-disabled=${!isFree} onClick=${() => isFree && on.askEdit()}>
            Edit and retry…
          </button>`
        }
        ${kind === 'mission' && html`<a class="plain" href=${missionPath(id)}>Its plan and choices</a>`}
      </div>
      <div role="status">
        ${busy !== null && html`<p class="soft">One moment…</p>`}
        ${result?.said !== undefined && html`<p class="outcome good">${result.said}</p>`}
        ${result !== null && result.said === undefined && html`<${ChangeResult} ...${result} />`}
      </div>
    </section>
    ${question !== null && html`<${ChangeQuestion} ...${question} on=${on} />`}
    ${edit !== null && html`<${EditQuestion} job=${job} edit=${edit} on=${on} />`}
    <${Ask} asked=${asked} on=${on} />
    <${Timeline} entries=${timeline} isRecorded=${job.isRecorded} />
    ${finding !== null && html`<${Result} finding=${finding} />`}
    ${patch !== null && html`<${Diff} patch=${patch.patch} diff=${patch.diff} />`}
    ${budget !== null && html`<${Budget} ...${{ budget, isFree, on }} />`}
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

function Result({ finding: { result_text: text, result_is_json: isJson, citations } }) {
  return html`<${Card} title="Result">
    <${ResultText} ...${{ text, isJson, citations }} />
    ${
      citations.length > 0 &&
      html`<p class="soft size">Sources</p>
        <div class="chips">${citations.map((cited) => html`<${FindingLink} key=${cited} id=${cited} />`)}</div>`
    }
  <//>`;
}

/** The budget of the task alone, and the button that sets another one. */
function Budget({ budget: { limit, settled, reserved, uncertain }, isFree, on }) {
  const used = settled + reserved + uncertain;
  const facts = [
    ['Limit', limit === null ? 'none' : exactUsd(limit, 6)],
    ['Spent', usd(settled, 6)],
    ['Reserved', reserved > 0 && usd(reserved, 6)],
    ['Uncertain', uncertain > 0 && html`<a href=${toAddress('/costs')}>${usd(uncertain, 6)}</a>`],
  ].filter(([, value]) => value !== false);
  return html`<${Card} title="Its own budget" class="card half">
    ${limit !== null && html`<${Meter} label="of its budget used" value=${used} max=${Math.max(1, limit)} />`}
    <${Facts} of=${facts} />
    <div class="actions">
      <button type="button" class="plain" aria-disabled=${!isFree} onClick=${() => isFree && on.askBudget()}>
        Set the budget…
      </button>
    </div>
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
