import { drawBadges } from './badges.js';
import { fetchJson, showLogout } from './fetch-json.js';
import { html, render } from './html.js';
import { Page } from './status/page.js';

const REFRESH_MS = 2_000;

let recent = [];
/** The counts of findings when the recent ones were last read. They are read again when a count changes. */
let recentCounts = '';

async function refresh() {
  const status = await fetchJson('/api/status');
  if (status !== null) {
    await readRecent(status.findings);
    draw(status);
  }
  setTimeout(refreshWhenVisible, REFRESH_MS);
}

function refreshWhenVisible() {
  if (document.hidden) document.addEventListener('visibilitychange', refresh, { once: true });
  else void refresh();
}

async function readRecent({ live, sinceSession }) {
  const numbers = `${live} ${sinceSession}`;
  if (numbers === recentCounts) return;
  const answer = await fetchJson('/api/findings?limit=10');
  if (answer !== null) [recent, recentCounts] = [answer.findings, numbers];
}

/** Draws the page. It changes only what differs, so that focus, selection and scroll positions stay. */
function draw(status) {
  document.title = `${status.halt ? '⛔ ' : ''}Status – ${status.swarm}`;
  drawBadges(status);
  render(html`<${Page} status=${status} recent=${recent} />`, document.querySelector('#main'));
}

await Promise.all([refresh(), showLogout()]);
