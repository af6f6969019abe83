import { createRetraction } from './archive/retract.js';
import { showBadges } from './badges.js';
import { fetchJson, fetchWhenThere, sendChange, showLogout } from './fetch-json.js';
import { html, render } from './html.js';
import { createPlanEdits, toRun } from './mission/edit.js';
import { Page } from './mission/page.js';
import { leaveOut, takeIn } from './mission/selection.js';

/** While the mission runs, or its plan waits, the page reads it again. */
const REFRESH_MS = 3_000;

const id = decodeURIComponent(location.pathname.split('/').at(-1));
const address = `/api/missions/${encodeURIComponent(id)}`;

/**
 * What the page shows. `dropped`: numbers of the tasks that the person leaves out; `edits`: planned task → what the person changes
 * about it; `editing`: the form of one; `asked`: an action that is to be confirmed, with what would run; `busy`: the change under way; `result`: what became
 * of the last one; `answer`: the answer beside its sources; `sources`: the state of retracting one of them.
 */
let view = {
  page: null,
  dropped: new Set(),
  edits: new Map(),
  editing: null,
  asked: null,
  busy: null,
  result: null,
  answer: null,
  sources: { retract: null, why: '', busy: false, result: null },
};

function show(part) {
  view = { ...view, ...part };
  if (view.page !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

const handlers = {
  toggle(n) {
    const { tasks } = view.page.plan;
    show({
      dropped: view.dropped.has(n) ? takeIn(tasks, view.dropped, n) : leaveOut(tasks, view.dropped, n),
      result: null,
    });
  },
  /** Finds out what would run, and asks. */
  async ask() {
    const answer = await send('run', { ...toRun(view), dryRun: true });
    if (answer !== null) show({ asked: { action: 'run', ...answer } });
  },
  askResume: () => show({ asked: { action: 'resume' }, result: null }),
  cancel: () => show({ asked: null }),
  run: () => change('run', { ...toRun(view), dryRun: false }),
  park: () => change('park', {}),
  resume: () => change('resume', {}),
  answer: (text) => change('answer', { text }),
  ...createPlanEdits({ address, view: () => view, show }),
  ...createRetraction({
    view: () => view.sources,
    show: (part) => show({ sources: { ...view.sources, ...part } }),
    reload: () => loadAnswer(fetchJson),
  }),
};

async function change(action, body) {
  const answer = await send(action, body);
  if (answer !== null) show({ result: { action, answer }, dropped: new Set(), edits: new Map() });
  await load();
}

/** Null: it was refused, and the page shows why. */
async function send(action, body) {
  show({ asked: null, result: null, busy: action });
  const { answer, problem } = await sendChange(`${address}/${action}`, body);
  show({ busy: null, result: problem === undefined ? null : { action, problem } });
  return answer ?? null;
}

async function load() {
  const page = await fetchWhenThere(address);
  if (page === null) return;
  const isOther = view.page?.plan?.version !== page.plan?.version;
  show(isOther ? { page, dropped: new Set(), edits: new Map(), editing: null } : { page });
  if (view.answer === null) await loadAnswer(fetchJson);
}

async function loadAnswer(read) {
  const { finding } = view.page.mission;
  const answer = finding === null ? null : await read(`/api/archive/answers/${encodeURIComponent(finding)}`);
  if (answer !== null) show({ answer });
}

document.title = `${id} – fleet`;
await Promise.all([load(), showBadges(), showLogout()]);
setInterval(() => {
  const isEnded = (view.page?.mission.outcome ?? null) !== null;
  const isAsking = view.asked !== null || view.editing !== null || view.sources.retract !== null;
  if (!document.hidden && !isEnded && view.busy === null && !isAsking) void load();
}, REFRESH_MS);
