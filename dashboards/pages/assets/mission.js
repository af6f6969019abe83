import { showBadges } from './badges.js';
import { fetchWhenThere, sendChange, showLogout } from './fetch-json.js';
import { html, render } from './html.js';
import { Page } from './mission/page.js';
import { leaveOut, takeIn } from './mission/selection.js';

/** While the mission runs or waits, the page reads it again. */
const REFRESH_MS = 3_000;

const id = decodeURIComponent(location.pathname.split('/').at(-1));
const address = `/api/missions/${encodeURIComponent(id)}`;

/**
 * What the page shows. `dropped`: numbers of the tasks that the person leaves out; `asked`: what would run, to be confirmed; `busy`:
 * the change under way; `result`: what became of the last one.
 */
let view = { page: null, dropped: new Set(), asked: null, busy: null, result: null };

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
    const answer = await send('run', toRun({ dryRun: true }));
    if (answer !== null) show({ asked: answer });
  },
  cancel: () => show({ asked: null }),
  run: () => change('run', toRun({ dryRun: false })),
  park: () => change('park', {}),
  resume: () => change('resume', {}),
  answer: (text) => change('answer', { text }),
};

function toRun({ dryRun }) {
  return { version: view.page.plan.version, drop: [...view.dropped], dryRun };
}

async function change(action, body) {
  const answer = await send(action, body);
  if (answer !== null) show({ result: { action, answer }, dropped: new Set() });
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
  show(isOther ? { page, dropped: new Set() } : { page });
}

document.title = `${id} – fleet`;
await Promise.all([load(), showBadges(), showLogout()]);
setInterval(() => {
  const isEnded = ['done', 'failed'].includes(view.page?.mission.state);
  if (!document.hidden && !isEnded && view.busy === null && view.asked === null) void load();
}, REFRESH_MS);
