import { exactUsd, usd } from './format.js';
import { html, render } from './html.js';
import { follow } from './live.js';

const WARNED = { halted: 'badge bad', paused: 'badge warn', 'no workers': 'badge warn' };

/** State, swarm and session in the header, and a mark where the models are simulated: then the costs of the page are not real. */
function Badges({ head: { state, why, swarm, session, kind } }) {
  return html`
    <span id="fleet-state" class=${WARNED[state] ?? 'badge'} title=${why}>${state}</span>
    <span class="badge">swarm ${swarm}</span>
    <span class="badge">session ${session ?? '–'}</span>
    ${kind === 'simulated' && html`<span class="badge warn">simulated models</span>`}
  `;
}

function Day({ budget: { usedNanoUsd: used, limitNanoUsd: limit }, time }) {
  const spent = limit === null ? usd(used, 2) : `${usd(used, 2)} / ${exactUsd(limit, 2)}`;
  const isHigh = limit !== null && used >= limit * 0.75;
  return html`
    <span
      id="day-budget"
      class=${isHigh ? 'warntext' : ''}
      title="Spent, reserved and uncertain today (UTC), of the day’s budget"
      >${spent}</span
    >
    <time id="clock" datetime=${time.toISOString()} title="By the clock of Redis"
      >${time.toISOString().slice(11, 19)} UTC</time
    >
  `;
}

let last = null;
/** How far Redis' clock is ahead of this machine's, ms. */
let aheadMs = 0;

/** Draws the header. */
export function drawHead(head) {
  if (last === null) setInterval(drawDay, 1_000);
  last = head;
  aheadMs = Date.parse(head.at) - Date.now();
  render(html`<${Badges} head=${head} />`, document.querySelector('#swarm'));
  drawDay();
}

function drawDay() {
  const time = new Date(Date.now() + aheadMs);
  render(html`<${Day} budget=${last.budget} time=${time} />`, document.querySelector('#day'));
}

/** Keeps the header up to date, on pages that follow nothing else. */
export async function showBadges() {
  void follow('head', { head: drawHead });
}
