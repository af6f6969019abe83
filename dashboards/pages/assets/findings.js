import { showBadges } from './badges.js';
import { FindingLink, PatchLink, Summary, Table, Time } from './elements.js';
import { fetchWhenThere, showLogout } from './fetch-json.js';
import { findingCost } from './format.js';
import { html, render } from './html.js';

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

/** @param findings null: they are being read; undefined: they cannot be read */
function Page({ findings }) {
  return html`
    <form class="wide search" method="get" role="search">
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
      ${findings === null && html`<p class="empty">Reading…</p>`} ${findings && html`<${List} findings=${findings} />`}
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

async function load() {
  const main = document.querySelector('#main');
  const query = new URLSearchParams({ limit: MOST });
  for (const name of ['text', 'session', 'batch']) if (asked.get(name)) query.set(name, asked.get(name));
  render(html`<${Page} findings=${null} />`, main);
  const answer = await fetchWhenThere(`/api/findings?${query}`);
  render(html`<${Page} findings=${answer?.findings} />`, main);
}

await Promise.all([load(), showBadges(), showLogout()]);
