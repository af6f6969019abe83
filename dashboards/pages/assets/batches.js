import { showBadges } from './badges.js';
import { Page } from './batches/page.js';
import { fetchJson, fetchWhenThere, showLogout } from './fetch-json.js';
import { html, render } from './html.js';

const REFRESH_MS = 3_000;
const isAll = new URLSearchParams(location.search).get('all') === 'true';

/** @param list undefined: it was refused */
function draw(list) {
  render(html`<${Page} list=${list} isAll=${isAll} />`, document.querySelector('#main'));
}

let isRead = false;

async function load(read) {
  const list = await read(`/api/batches?all=${isAll}`);
  if (list !== null) isRead = true;
  if (list !== null || !isRead) draw(list ?? undefined);
}

draw(null);
await Promise.all([load(fetchWhenThere), showBadges(), showLogout()]);
setInterval(() => {
  if (!document.hidden) void load(fetchJson);
}, REFRESH_MS);
