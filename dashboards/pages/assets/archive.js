import { Page } from './archive/page.js';
import { createRetraction } from './archive/retract.js';
import { toAddress } from './base.js';
import { fetchJson, sendChange } from './fetch-json.js';
import { html, render } from './html.js';
import { keepLive } from './live-page.js';

/** The question of the address: id of its job, or of its answer. Null: none was asked. */
const asked = new URLSearchParams(location.search).get('asked');

/**
 * What the page shows. `job`: the question of the address; `answer`: its answer beside the sources; `answers`: the newest ones;
 * `status`: for the shards; `draft`: the question that is to be confirmed; `retract`: the source that is to be retracted, with the
 * answers that cite it; `why`: what is wrong with it; `busy`: whether a change is under way; `result`: what became of the last one.
 */
let view = {
  job: null,
  answer: null,
  answers: null,
  status: null,
  draft: null,
  retract: null,
  why: '',
  busy: false,
  result: null,
};

function show(part) {
  view = { ...view, ...part };
  render(html`<${Page} ...${view} asked=${asked} on=${handlers} />`, document.querySelector('#main'));
}

const handlers = {
  /** @param fields of the form. Its id makes that a question sent twice is asked once */
  ask: (fields) => show({ draft: { ...fields, queryId: toQueryId() }, result: null }),
  async confirmAsk(draft) {
    if (view.busy) return;
    show({ draft: null, busy: true, result: null });
    const { answer, problem } = await sendChange('/api/archive/ask', draft);
    show({ busy: false, result: problem === undefined ? null : { problem } });
    if (problem === undefined) location.assign(toAddress(`/archive?asked=${encodeURIComponent(answer.id)}`));
  },
  close: () => show({ draft: null }),
  ...createRetraction({ view: () => view, show, reload: () => load(fetchJson) }),
};

function toQueryId() {
  return [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function load(read) {
  await Promise.all([loadAsked(read), loadRest(read)]);
}

async function loadAsked(read) {
  if (asked === null) return;
  const page = await read(`/api/jobs/${encodeURIComponent(asked)}`);
  if (page === null) return;
  show({ job: page.job });
  if (page.job.findingId === null) return;
  const answer = await read(`/api/archive/answers/${encodeURIComponent(page.job.findingId)}`);
  if (answer !== null) show({ answer });
}

async function loadRest(read) {
  const [list, status] = await Promise.all([read('/api/archive/answers'), read('/api/status')]);
  show({ answers: list?.answers ?? view.answers, status: status ?? view.status });
}

show({});
await keepLive({
  load,
  of: ['work', 'findings'],
  isFree: () => !view.busy && view.draft === null && view.retract === null,
});
