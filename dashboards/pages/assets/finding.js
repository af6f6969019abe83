import { createRetraction } from './archive/retract.js';
import { showBadges } from './badges.js';
import { fetchJson, fetchWhenThere, showLogout } from './fetch-json.js';
import { Page } from './finding/page.js';
import { html, render } from './html.js';

const id = decodeURIComponent(location.pathname.split('/findings/').at(-1)); // one of another swarm has a slash

/**
 * What the page shows. `retract`: that it is to be retracted, with the answers that cite it; `why`: what is wrong with it; `busy`:
 * whether a change is under way; `result`: what became of the last one.
 */
let view = { finding: null, retract: null, why: '', busy: false, result: null };

function show(part) {
  view = { ...view, ...part };
  if (view.finding !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

const handlers = createRetraction({ view: () => view, show, reload: () => load(fetchJson) });

async function load(read) {
  const finding = await read(`/api/findings/${encodeURIComponent(id)}`);
  if (finding !== null) show({ finding });
}

document.title = `${id} – fleet`;
await Promise.all([load(fetchWhenThere), showBadges(), showLogout()]);
