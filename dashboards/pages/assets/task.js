import { showBadges } from './badges.js';
import { fetchJson, fetchWhenThere, showLogout } from './fetch-json.js';
import { html, render } from './html.js';
import { createTaskBudget } from './tasks/budget.js';
import { createChanges } from './tasks/changes.js';
import { createEdits } from './tasks/edits.js';
import { Page } from './tasks/job.js';

/** While the job has not ended, the page reads it again. */
const REFRESH_MS = 2_000;

const own = decodeURIComponent(location.pathname.split('/').at(-1));

/**
 * What the page shows. `page`: the job with its timeline; `finding`: what it stored; `patch`: what it changed; `question`: a change
 * that is to be confirmed; `edit`: the form of a retry; `asked`: a budget that is to be set; `busy`: the action under way; `result`:
 * what became of the last one.
 */
let view = {
  page: null,
  finding: null,
  patch: null,
  question: null,
  edit: null,
  asked: null,
  busy: null,
  result: null,
};

function show(part) {
  view = { ...view, ...part };
  if (view.page !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

const reload = () => load(fetchJson);
let handlers = createChanges({ isBusy: () => view.busy !== null, show, reload });

async function load(read) {
  const page = await read(`/api/jobs/${encodeURIComponent(own)}`);
  if (page === null) return;
  if (view.page === null) {
    const parts = { id: page.job.id, view: () => view, show, reload };
    handlers = { ...handlers, ...createEdits(parts), ...createTaskBudget(parts) };
  }
  const { findingId } = page.job;
  const isOther = view.finding?.finding_id !== (findingId ?? undefined);
  show(isOther ? { page, finding: null, patch: null } : { page });
  if (!isOther || findingId === null) return;
  const finding = await read(`/api/findings/${encodeURIComponent(findingId)}`);
  if (finding === null) return;
  show({ finding });
  const state = finding.patch?.state;
  if (state === undefined || state === 'empty') return;
  const patch = await read(`/api/patches/${encodeURIComponent(findingId)}`);
  if (patch !== null) show({ patch });
}

document.title = `${own} – fleet`;
await Promise.all([load(fetchWhenThere), showBadges(), showLogout()]);
setInterval(() => {
  const isOpen = view.page?.job.hasEnded === false;
  const isAsking = view.question !== null || view.edit !== null || view.asked !== null;
  if (!document.hidden && isOpen && view.busy === null && !isAsking) void load(fetchJson);
}, REFRESH_MS);
