import { Page } from './audit/page.js';
import { FILTERS } from './audit/filters.js';
import { showBadges } from './badges.js';
import { fetchJson, fetchWhenThere, showLogout } from './fetch-json.js';
import { html, render } from './html.js';

const REFRESH_MS = 5_000;

/** The address holds all that the list depends on, so that a link shows the same. */
const asked = new URLSearchParams(location.search);
const query = new URLSearchParams([...asked].filter(([name]) => name === 'cursor' || FILTERS.includes(name)));

/** @param list null: it is being read; undefined: it was refused */
function draw(list) {
  render(html`<${Page} list=${list} asked=${query} />`, document.querySelector('#main'));
}

let isRead = false;

async function load(read) {
  const list = await read(`/api/audit?${query}`);
  if (list !== null) isRead = true;
  if (list !== null || !isRead) draw(list ?? undefined);
}

draw(null);
await Promise.all([load(fetchWhenThere), showBadges(), showLogout()]);
setInterval(() => {
  if (!document.hidden && !query.has('cursor')) void load(fetchJson); // older entries do not change
}, REFRESH_MS);
