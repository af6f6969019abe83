import { showBadges } from './badges.js';
import { Page } from './costs/page.js';
import { fetchJson, fetchWhenThere, sendChange, showLogout } from './fetch-json.js';
import { html, render } from './html.js';

const REFRESH_MS = 15_000;

/** The address holds all that the report depends on, so that a link shows the same. */
const asked = new URLSearchParams([...new URLSearchParams(location.search)].filter(([, value]) => value !== ''));

/**
 * What the page shows. `report`: null until it is read, undefined if it was refused; `ticked`: ids of uncertain calls; `why`: how the
 * person knows what they cost; `question`: the verdict that is to be confirmed, with its calls; `busy`: whether it is under way;
 * `result`: what became of the last one.
 */
let view = { report: null, ticked: new Set(), why: '', question: null, busy: false, result: null };

function show(part) {
  view = { ...view, ...part };
  render(html`<${Page} ...${view} asked=${asked} on=${handlers} />`, document.querySelector('#main'));
}

const handlers = {
  tick(id) {
    const ticked = new Set(view.ticked);
    if (!ticked.delete(id)) ticked.add(id);
    show({ ticked, result: null });
  },
  tickAll(ids) {
    const isAll = ids.every((id) => view.ticked.has(id));
    show({ ticked: new Set(isAll ? [] : ids), result: null });
  },
  why: (why) => show({ why }),
  ask: (verdict, calls) => show({ question: { verdict, calls }, result: null }),
  close: () => show({ question: null }),
  async confirm({ verdict, calls }) {
    if (view.busy) return;
    show({ question: null, busy: true });
    const change = { calls: calls.map(({ id }) => id), verdict, why: view.why };
    const { answer, problem } = await sendChange('/api/costs/settle', change);
    const done = problem === undefined ? { ticked: new Set(), why: '' } : {};
    show({ ...done, busy: false, result: { answer, problem } });
    await load(fetchJson);
  },
};

async function load(read) {
  const report = await read(`/api/costs?${asked}`);
  if (report === null) return view.report === null && show({ report: undefined });
  const there = new Set(report.uncertain.calls.map(({ id }) => id));
  show({ report, ticked: new Set([...view.ticked].filter((id) => there.has(id))) });
}

show({});
await Promise.all([load(fetchWhenThere), showBadges(), showLogout()]);
setInterval(() => {
  if (!document.hidden && !view.busy && view.question === null) void load(fetchJson);
}, REFRESH_MS);
