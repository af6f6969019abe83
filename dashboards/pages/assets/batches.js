import { Page } from './batches/page.js';
import { html, render } from './html.js';
import { createListPage } from './list-page.js';
import { keepLive } from './live-page.js';

const isAll = new URLSearchParams(location.search).get('all') === 'true';

/** `list`: null until it is read, undefined if it was refused. */
const page = createListPage({
  name: 'list',
  path: `/api/batches?all=${isAll}`,
  idsOf: () => [],
  first: {},
  draw: ({ list }) => render(html`<${Page} list=${list} isAll=${isAll} />`, document.querySelector('#main')),
});

page.show({});
await keepLive({ load: page.load, of: ['work', 'money'] });
