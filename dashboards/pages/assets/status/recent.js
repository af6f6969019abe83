import { toAddress } from '../base.js';
import { FindingLink, PatchLink, Summary, Table, Time } from '../elements.js';
import { findingCost, taskPath } from '../format.js';
import { html } from '../html.js';

const COLUMNS = { Time: 'tight', 'Task → first line': 'text', Finding: 'tight', Cost: 'number' };

/** The newest findings, each as its task and the first line of what was found. */
export function Recent({ findings }) {
  const rows = findings.map((finding) => {
    const { id, at, summary, isPartial, toolErrors, patchState, costUsd, isFreeLocal } = finding;
    return {
      key: id,
      cells: [
        html`<${Time} at=${at} />`,
        html`<${Task} ...${finding} /> <${Summary} of=${summary} partial=${isPartial} toolErrors=${toolErrors} />`,
        html`<${FindingLink} id=${id} />${' '}<${PatchLink} id=${id} state=${patchState} />`,
        findingCost(costUsd, isFreeLocal),
      ],
    };
  });
  return html`<section class="wide">
    <h2><span>Newest findings</span>${rows.length > 0 && html`<a href=${toAddress('/findings')}>All findings</a>`}</h2>
    ${
      rows.length === 0
        ? html`<p class="empty">None yet.</p>`
        : html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />`
    }
  </section>`;
}

/** The first line of the task, with a link to its run. Nothing where neither is known. */
function Task({ task, jobId }) {
  if (task === null && !jobId) return null;
  const text = task ?? 'its run';
  return html`${jobId ? html`<a href=${taskPath(jobId)}>${text}</a>` : html`<span class="soft">${text}</span>`}${' → '}`;
}
