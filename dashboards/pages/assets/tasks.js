import { showBadges } from './badges.js';
import { fetchJson, fetchWhenThere, showLogout } from './fetch-json.js';
import { html, render } from './html.js';
import { createChanges } from './tasks/changes.js';
import { FILTERS } from './tasks/filters.js';
import { Page } from './tasks/page.js';

const REFRESH_MS = 3_000;
/** A list that Redis looked through so many records for is read again only when a person asks for it. */
const MOST_LOOKED = 10_000;

/** The address holds all that the list depends on, so that a link shows the same. */
const asked = new URLSearchParams(location.search);
const query = new URLSearchParams([...asked].filter(([name]) => name === 'cursor' || FILTERS.includes(name)));

/**
 * What the page shows. `list`: null until it is read, undefined if it was refused; `ticked`: ids of jobs; `question`: a change that
 * is to be confirmed; `busy`: the action under way; `result`: what became of the last one.
 */
let view = { list: null, ticked: new Set(), question: null, busy: null, result: null };

function show(part) {
  view = { ...view, ...part };
  render(html`<${Page} ...${view} asked=${query} on=${handlers} />`, document.querySelector('#main'));
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
  ...createChanges({
    isBusy: () => view.busy !== null,
    show: (part) => show(part.result?.done === undefined ? part : { ...part, ticked: new Set() }), // done: nothing is left to do
    reload: () => load(fetchJson),
  }),
  again: () => load(fetchJson),
};

async function load(read) {
  const list = await read(`/api/jobs?${query}`);
  if (list === null) return view.list === null && show({ list: undefined });
  const there = new Set(list.jobs.map(({ id }) => id));
  show({ list, ticked: new Set([...view.ticked].filter((id) => there.has(id))) });
}

show({});
await Promise.all([load(fetchWhenThere), showBadges(), showLogout()]);
setInterval(() => {
  const isCheap = view.list?.looked <= MOST_LOOKED;
  if (!document.hidden && isCheap && view.busy === null && view.question === null) void load(fetchJson);
}, REFRESH_MS);
