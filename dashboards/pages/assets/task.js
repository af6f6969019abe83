import { showBadges } from './badges.js';
import { fetchJson, fetchWhenThere, showLogout } from './fetch-json.js';
import { html, render } from './html.js';
import { createChanges } from './tasks/changes.js';
import { Page } from './tasks/job.js';

/** While the job has not ended, the page reads it again. */
const REFRESH_MS = 2_000;

const id = decodeURIComponent(location.pathname.split('/').at(-1));

/**
 * What the page shows. `page`: the job with its timeline; `finding`: what it stored; `question`: a change that is to be confirmed;
 * `busy`: the action under way; `result`: what became of the last one.
 */
let view = { page: null, finding: null, question: null, busy: null, result: null };

function show(part) {
  view = { ...view, ...part };
  if (view.page !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

const handlers = createChanges({ isBusy: () => view.busy !== null, show, reload: () => load(fetchJson) });

async function load(read) {
  const page = await read(`/api/jobs/${encodeURIComponent(id)}`);
  if (page === null) return;
  const { findingId } = page.job;
  const isOther = view.finding?.finding_id !== (findingId ?? undefined);
  show(isOther ? { page, finding: null } : { page });
  if (!isOther || findingId === null) return;
  const finding = await read(`/api/findings/${encodeURIComponent(findingId)}`);
  if (finding !== null) show({ finding });
}

document.title = `${id} – fleet`;
await Promise.all([load(fetchWhenThere), showBadges(), showLogout()]);
setInterval(() => {
  const isOpen = view.page?.job.hasEnded === false;
  if (!document.hidden && isOpen && view.busy === null && view.question === null) void load(fetchJson);
}, REFRESH_MS);
