import { fetchJson, showLogout } from './fetch-json.js';
import { findingLink, h, table, when } from './dom.js';

const main = document.querySelector('#main');
const asked = new URLSearchParams(location.search);
const list = h('section', { class: 'wide' });

async function load() {
  const query = new URLSearchParams({ limit: '100' });
  for (const name of ['text', 'session', 'batch']) if (asked.get(name)) query.set(name, asked.get(name));
  list.replaceChildren(h('p', { class: 'empty' }, 'Reading…'));
  const answer = await fetchJson(`/api/findings?${query}`);
  if (answer === null) return list.replaceChildren();
  const rows = answer.findings.map((finding) =>
    h(
      'tr',
      {},
      h('td', { class: 'tight' }, when(finding.at)),
      h('td', { class: 'text' }, finding.summary || '–'),
      h('td', { class: 'tight soft' }, finding.kind ?? ''),
      h('td', { class: 'tight soft' }, finding.session ?? ''),
      h('td', { class: 'tight' }, findingLink(finding.id)),
      h('td', { class: 'number' }, finding.costUsd === null ? '–' : `$${finding.costUsd.toFixed(6)}`),
    ),
  );
  list.replaceChildren(
    h('h2', {}, rows.length === 100 ? 'The newest 100' : `${rows.length} found`),
    rows.length === 0
      ? h('p', { class: 'empty' }, 'Nothing found.')
      : table(['Time', 'Summary', 'Kind', 'Session', 'Finding', '#Cost'], rows, 'stack'),
  );
}

main.append(
  h(
    'form',
    { class: 'wide search', method: 'get', role: 'search' },
    h('input', {
      name: 'text',
      type: 'search',
      placeholder: 'Search in findings',
      'aria-label': 'Search in findings',
      value: asked.get('text') ?? '',
    }),
    h('button', { type: 'submit' }, 'Search'),
  ),
  list,
);
await Promise.all([load(), showLogout()]);
