import { fetchJson } from './fetch-json.js';
import { html, render } from './html.js';

/** Swarm and session in the header, and a mark where the models are simulated: then the costs of the page are not real. */
function Badges({ status }) {
  return html`
    <span class="badge">swarm ${status.swarm}</span>
    <span class="badge">session ${status.session.name ?? '–'}</span>
    ${status.kind === 'simulated' && html`<span class="badge warn">simulated models</span>`}
  `;
}

export function drawBadges(status) {
  render(html`<${Badges} status=${status} />`, document.querySelector('#swarm'));
}

/** Reads the status for the badges alone. */
export async function showBadges() {
  const status = await fetchJson('/api/status');
  if (status !== null) drawBadges(status);
}
