import { showBadges } from './badges.js';
import { fetchWhenThere, sendChange, showLogout } from './fetch-json.js';
import { html, render } from './html.js';
import { Page } from './patch/page.js';

/** A change that takes longer shows that it is under way. */
const QUIET_MS = 2_000;

const id = decodeURIComponent(location.pathname.split('/').at(-1));
const address = `/api/patches/${encodeURIComponent(id)}`;

/** What the page shows. `asked`: the change to confirm; `busy`: the one under way; `result`: what became of the last one. */
let view = { patch: null, asked: null, busy: null, result: null };

function show(change) {
  view = { ...view, ...change };
  if (view.patch !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

const handlers = {
  /** Finds out what would happen, and asks. */
  async ask(action) {
    const answer = await send(action, { dryRun: true });
    if (answer === null) return;
    const left = answer.report?.patches.find(({ outcome }) => outcome !== 'fits');
    // One that HEAD holds only gets its state.
    if (left && left.outcome !== 'already') show({ result: { action, ...answer } });
    else show({ asked: { action, onto: answer.onto } });
  },
  cancel: () => show({ asked: null }),
  async confirm(action) {
    const answer = await send(action, { dryRun: false });
    if (answer !== null) show({ result: { action, ...answer } });
    await load();
  },
};

/** Sends a change, or the question what it would do. Null: it was refused, and the page shows why. */
async function send(action, { dryRun }) {
  show({ asked: null, result: null, busy: { action, dryRun, seconds: 0 } });
  const began = Date.now();
  const clock = setInterval(() => {
    const ms = Date.now() - began;
    if (ms >= QUIET_MS) show({ busy: { action, dryRun, seconds: Math.round(ms / 1_000) } });
  }, 500);
  const { answer, problem } = await sendChange(`${address}/${action}`, { head: view.patch.patch.head, dryRun });
  clearInterval(clock);
  show({ busy: null, result: problem === undefined ? null : { action, problem } });
  return answer ?? null;
}

async function load() {
  const patch = await fetchWhenThere(address);
  if (patch !== null) show({ patch });
}

document.title = `${id} – fleet`;
await Promise.all([load(), showBadges(), showLogout()]);
