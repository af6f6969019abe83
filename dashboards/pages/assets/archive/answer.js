import { Cited } from '../cited.js';
import { Card, FindingLink, Time } from '../elements.js';
import { ResultText } from '../finding/result-text.js';
import { count, findingCost } from '../format.js';
import { html } from '../html.js';

const toHref = (id) => `#source-${id}`;

/** An answer beside its sources. Each citation in its text leads to its source. `question` null: the page shows it elsewhere. */
export function Answer({ answer, busy, on }) {
  const { id, question, text, isJson, at, model, costUsd, isFreeLocal, citations, sources, moreSources, isRetracted } =
    answer;
  return html`
    <${Card} title="Answer" class="card half answered">
      ${question !== null && html`<p class="said">${question}</p>`}
      ${isRetracted && html`<p class="warntext">This answer is retracted.</p>`}
      ${
        isJson
          ? html`<${ResultText} ...${{ text, isJson, citations, toHref }} />`
          : html`<div class="text"><${Cited} ...${{ text, citations, toHref }} /></div>`
      }
      <p class="soft size">
        <${FindingLink} id=${id} />, <${Time} at=${at} />, ${model ?? 'no model'}, ${findingCost(costUsd, isFreeLocal)}
      </p>
    <//>
    <${Card} title=${`Sources: ${count(citations.length)}`} class="card half answered">
      ${sources.length === 0 && html`<p class="empty">It cites nothing.</p>`}
      <ol class="sources">
        ${sources.map((source) => html`<${Source} key=${source.id} source=${source} busy=${busy} on=${on} />`)}
      </ol>
      ${moreSources > 0 && html`<p class="soft">${count(moreSources)} more: the page of the answer lists them.</p>`}
    <//>
  `;
}

function Source({ source, busy, on }) {
  const { id, problem, at, session, summary, isRetracted, canRetract } = source;
  return html`<li id=${`source-${id}`}>
    <div>
      ${problem === null ? html`<${FindingLink} id=${id} />` : html`<span class="mono">${id}</span>`}
      ${isRetracted && html` <span class="badge warn">retracted</span>`}
    </div>
    <div>${summary}${problem !== null && html`<span class="soft">${problem}</span>`}</div>
    ${
      problem === null &&
      html`<div class="soft size">
        <${Time} at=${at} /> ${session !== null && `session ${session}`}${' '}
        ${
          canRetract &&
          html`<button
            type="button"
            class="link retract"
            aria-label=${`Retract ${id}`}
            aria-disabled=${busy}
            onClick=${() => !busy && on.askRetract(source)}
          >
            Retract…
          </button>`
        }
      </div>`
    }
  </li>`;
}
