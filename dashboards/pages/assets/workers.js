import { showBadges } from './badges.js';
import { fetchJson, fetchWhenThere, showLogout } from './fetch-json.js';
import { html, render } from './html.js';
import { Page } from './workers/page.js';

const REFRESH_MS = 3_000;

async function load(read) {
  const page = await read('/api/workers');
  if (page !== null) render(html`<${Page} ...${page} />`, document.querySelector('#main'));
}

await Promise.all([load(fetchWhenThere), showBadges(), showLogout()]);
setInterval(() => {
  if (!document.hidden) void load(fetchJson);
}, REFRESH_MS);
