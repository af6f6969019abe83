import { FindingLink, PatchLink, Summary, Table, Time } from './elements.js';
import { findingCost } from './format.js';
import { html, render } from './html.js';
import { createListPage } from './list-page.js';
import { keepLive } from './live-page.js';

const COLUMNS = {
  Time: 'tight',
  Summary: 'text',
  Kind: 'tight soft',
  Session: 'tight soft',
  Finding: 'tight',
  Cost: 'number',
};
const MOST = 100;
const asked = new URLSearchParams(location.search);

/** @param list null: it is being read; undefined: it cannot be read */
function Page({ list }) {
  return html`
    <form class="wide search" method="get" role="search" aria-label="Findings">
      <h1 class="unseen">Findings</h1>
      <input
        name="text"
        type="search"
        placeholder="Search in findings"
        aria-label="Search in findings"
        defaultValue=${asked.get('text') ?? ''}
      />
      <button type="submit" class="reads">Search</button>
    </form>
    <section class="wide">
      ${list === null && html`<p class="empty">Reading…</p>`} ${list && html`<${List} findings=${list.findings} />`}
    </section>
  `;
}

function List({ findings }) {
  const rows = findings.map(
    ({ id, at, summary, kind, session, isPartial, toolErrors, patchState, costUsd, isFreeLocal }) => ({
      key: id,
      cells: [
        html`<${Time} at=${at} />`,
        html`<${Summary} of=${summary} partial=${isPartial} toolErrors=${toolErrors} />`,
        kind,
        session,
        html`<${FindingLink} id=${id} />${' '}<${PatchLink} id=${id} state=${patchState} />`,
        findingCost(costUsd, isFreeLocal),
      ],
    }),
  );
  return html`
    <h2>${rows.length === MOST ? `The newest ${MOST}` : `${rows.length} found`}</h2>
    ${
      rows.length === 0
        ? html`<p class="empty">Nothing found.</p>`
        : html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />`
    }
  `;
}

const query = new URLSearchParams({ limit: MOST });
for (const name of ['text', 'session', 'batch']) if (asked.get(name)) query.set(name, asked.get(name));
/** A search looks through all findings: it is not done again by itself. */
const isSearch = query.size > 1;

const page = createListPage({
  name: 'list',
  path: `/api/findings?${query}`,
  idsOf: () => [],
  first: {},
  draw: ({ list }) => render(html`<${Page} list=${list} />`, document.querySelector('#main')),
});

page.show({});
await keepLive({ load: page.load, of: ['findings'], isFree: () => !isSearch || !page.view.list });
