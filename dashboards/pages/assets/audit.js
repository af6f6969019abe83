import { FILTERS } from './audit/filters.js';
import { Page } from './audit/page.js';
import { html, render } from './html.js';
import { createListPage } from './list-page.js';
import { keepLive } from './live-page.js';

/** The address holds all that the list depends on, so that a link shows the same. */
const asked = new URLSearchParams(location.search);
const query = new URLSearchParams([...asked].filter(([name]) => name === 'cursor' || FILTERS.includes(name)));

/** `list`: null until it is read, undefined if it was refused. */
const page = createListPage({
  name: 'list',
  path: `/api/audit?${query}`,
  idsOf: () => [],
  first: {},
  draw: ({ list }) => render(html`<${Page} list=${list} asked=${query} />`, document.querySelector('#main')),
});

page.show({});
await keepLive({
  load: page.load,
  of: ['work', 'money', 'findings'],
  isFree: () => !page.view.list || !query.has('cursor'), // older entries do not change
});
