import { Page } from './batches/batch.js';
import { fetchJson, sendChange } from './fetch-json.js';
import { html, render } from './html.js';
import { keepLive } from './live-page.js';

const name = decodeURIComponent(location.pathname.split('/').at(-1));
const address = `/api/batches/${encodeURIComponent(name)}`;

/**
 * What the page shows. `batch`: null until it is read; `limit`: the budget that the person typed; `question`: a change that is to be
 * confirmed, with what it would do; `busy`: whether one is under way; `result`: what became of the last one.
 */
let view = { batch: null, limit: '', question: null, busy: false, result: null };

function show(part) {
  view = { ...view, ...part };
  if (view.batch !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

/** Null: it was refused, and the page shows why. */
async function send(action, body) {
  if (view.busy) return null;
  show({ question: null, result: null, busy: true });
  const { answer, problem } = await sendChange(`${address}/${action}`, body);
  show({ busy: false, result: problem === undefined ? null : { action, problem } });
  return answer ?? null;
}

const handlers = {
  limit: (limit) => show({ limit }),
  /** Finds out what would happen, and asks. */
  async ask(action) {
    const answer = await send(action, { dryRun: true });
    if (answer !== null) show({ question: { action, ...answer } });
  },
  askBudget: () => show({ question: { action: 'budget', limit: view.limit }, result: null }),
  close: () => show({ question: null }),
  async confirm({ action, limit }) {
    const answer = await send(action, action === 'budget' ? { limitUsd: limit } : { dryRun: false });
    if (answer !== null) show({ limit: '', result: { action, limit, ...answer } });
    await load(fetchJson);
  },
};

async function load(read) {
  const batch = await read(address);
  if (batch !== null) show({ batch });
}

document.title = `${name} – fleet`;
await keepLive({ load, of: ['work', 'money'], isFree: () => !view.busy && view.question === null });
