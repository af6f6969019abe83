import { Time } from '../elements.js';
import { html } from '../html.js';

export function Halt({ halt, choices }) {
  if (halt === null) return null;
  return html`<section class="halt" role="alert" id="halt">
    <h2><span class="stop" aria-hidden="true"></span>The fleet is halted: ${halt.reason}</h2>
    ${halt.detail && html`<p>${halt.detail}</p>`}
    <p class="soft">
      Since <${Time} at=${halt.at} />${halt.by && ` · by ${halt.by}`}${halt.step && ` · at ${halt.step}`}
    </p>
    <ul>
      ${choices.map(({ what, command }) => html`<li key=${command}>${what}: <code>${command}</code></li>`)}
    </ul>
  </section>`;
}
