import { fetchJson } from './fetch-json.js';
import { html, render } from './html.js';
import { createListPage } from './list-page.js';
import { keepLive } from './live-page.js';
import { createChanges } from './tasks/changes.js';
import { FILTERS } from './tasks/filters.js';
import { Page } from './tasks/page.js';

/** A list that Redis looked through so many records for is read again only when a person asks for it. */
const MOST_LOOKED = 10_000;

/** The address holds all that the list depends on, so that a link shows the same. */
const asked = new URLSearchParams(location.search);
const query = new URLSearchParams([...asked].filter(([name]) => name === 'cursor' || FILTERS.includes(name)));

/**
 * What the page shows. `list`: null until it is read, undefined if it was refused; `ticked`: ids of jobs; `question`: a change that
 * is to be confirmed; `busy`: the action under way; `result`: what became of the last one.
 */
const page = createListPage({
  name: 'list',
  path: `/api/jobs?${query}`,
  idsOf: (list) => list.jobs.map(({ id }) => id),
  first: { question: null, busy: null },
  draw: (view) => render(html`<${Page} ...${view} asked=${query} on=${handlers} />`, document.querySelector('#main')),
});

const handlers = {
  ...page.ticks,
  ...createChanges({
    isBusy: () => page.view.busy !== null,
    show: (part) => page.show(part.result?.done === undefined ? part : { ...part, ticked: new Set() }), // done: nothing is left to do
    reload: () => page.load(fetchJson),
  }),
  again: () => page.load(fetchJson),
};

page.show({});
await keepLive({
  load: page.load,
  of: ['work', 'money', 'findings'],
  isFree: () => !(page.view.list?.looked > MOST_LOOKED) && page.view.busy === null && page.view.question === null,
});
