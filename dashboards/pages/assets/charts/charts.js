import { html } from '../html.js';
import { AsTable } from './as-table.js';
import { Chart } from './chart.js';
import { OUTCOMES, PERCENTILES, toLines, toModels } from './lines.js';
import { SPANS } from './spans.js';

const ESTIMATED =
  'p50 and p95 are estimates: durations are counted in ranges, and count as evenly spread within one. Beyond 6 hours they count as 6 hours.';

/** How tasks ended, what they cost and how long they took, over a span until now. @param series null: it is not read yet */
export function Charts({ span, series }) {
  return html`<section class="wide charts">
    <div class="head">
      <h2>${`Over ${SPANS[series?.span ?? span].title}`}</h2>
      <nav class="choice" aria-label="Time that the charts show">
        ${Object.entries(SPANS).map(
          ([name, { title }]) =>
            html`<a key=${name} href=${`#${name}`} title=${title} aria-current=${name === span ? 'true' : null}
              >${name}</a
            >`,
        )}
      </nav>
    </div>
    ${series === null ? html`<p class="empty">Reading…</p>` : html`<${Plots} series=${series} />`}
  </section>`;
}

function Plots({ series }) {
  const { title } = SPANS[series.span];
  const ended = toLines(OUTCOMES, series.outcomes, series.totals.outcomes).filter(({ total }) => total > 0);
  const models = toModels(series);
  const times = toLines(PERCENTILES, series.durationsMs, series.totals.durationsMs).filter(
    ({ total }) => total !== null,
  );
  return html`
    <div class="plots">
      <${Plot}
        title="Ended tasks"
        ...${{ series, lines: ended, unit: 'tasks' }}
        stacked=${true}
        empty=${`No task ended in ${title}.`}
      />
      <${Plot}
        title="Dollars by model"
        ...${{ series, lines: models, unit: 'dollars' }}
        stacked=${true}
        empty=${`Nothing was spent in ${title}.`}
      />
      <${Plot}
        title="Time of a task"
        ...${{ series, lines: times, unit: 'duration' }}
        stacked=${false}
        empty=${`No task was done in ${title}.`}
      />
    </div>
    ${times.length > 0 && html`<p class="soft size">${ESTIMATED}</p>`}
    <${Gaps} series=${series} />
    ${(ended.length > 0 || models.length > 0) && html`<${AsTable} ...${{ series, models }} />`}
  `;
}

function Plot({ lines, empty, ...rest }) {
  if (lines.length > 0)
    return html`<${Chart} key=${lines.map(({ name }) => name).join(' ')} lines=${lines} ...${rest} />`;
  return html`<figure>
    <figcaption>${rest.title}</figcaption>
    <p class="empty">${empty}</p>
  </figure>`;
}

/** The newest step may be one that has just begun. */
function Gaps({ series: { span, outcomes } }) {
  const steps = outcomes.completed.slice(0, -1);
  const gaps = steps.filter((value) => value === null).length;
  if (gaps === 0) return null;
  const text = `Nothing is known of ${gaps} of ${steps.length} ${SPANS[span].steps}: no process of the fleet took samples then.`;
  return html`<p class="soft size">${text}</p>`;
}
