import { fetchJson, showLogout } from './fetch-json.js';
import { card, count, findingLink, h, jobLink, table, when } from './dom.js';

const main = document.querySelector('#main');
const id = decodeURIComponent(location.pathname.split('/').at(-1));

function toText(result) {
  return typeof result === 'string' ? result : JSON.stringify(result ?? null, null, 2);
}

/** Which queue its job was in. */
function queueOf({ kind }) {
  if (kind === 'mission' || kind === 'paper' || kind === 'shard-test') return 'missions';
  return kind === 'archive' ? 'archive' : 'tasks';
}

function facts(finding) {
  const usage = finding.usage
    ? Object.entries(finding.usage).map(([name, tokens]) => `${count(tokens)} ${name.replace('_', ' ')}`)
    : [];
  return [
    ['When', when(finding.at)],
    ['Worker', finding.worker_id],
    [
      'Job',
      finding.job_id
        ? h('a', { class: 'mono', href: jobLink(queueOf(finding), finding.job_id) }, finding.job_id)
        : null,
    ],
    ['Model', finding.model],
    ['Kind', finding.kind],
    ['Session', finding.session],
    ['Batch', finding.batch],
    ['Cost', typeof finding.cost === 'number' ? `$${finding.cost.toFixed(6)}` : null],
    ['Tokens', usage.join(', ') || finding.tokens_used],
    ['Replayed turns', finding.recovered || null],
    ['Topics', finding.topics.join(', ') || null],
    ['Condensed', finding.status === 'condensed' ? findingLink(finding.summary_id) : null],
    ['Status', finding.status === 'retracted' ? 'retracted' : null],
  ].filter(([, value]) => value !== null && value !== undefined);
}

async function load() {
  const finding = await fetchJson(`/api/findings/${encodeURIComponent(id)}`);
  if (finding === null) return;
  const changes = finding.changes ?? finding.files_changed.map((path) => ({ path, added: '', removed: '', lines: '' }));
  main.replaceChildren(
    h('section', { class: 'wide' }, h('h1', { class: 'mono' }, finding.finding_id)),
    card('Task', 'wide', h('pre', {}, finding.task ?? '–')),
    card('Result', 'wide', h('pre', {}, toText(finding.result))),
    card(
      'Facts',
      'card half',
      h(
        'dl',
        {},
        facts(finding).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
      ),
    ),
    card(
      'Sources',
      'card half',
      finding.citations.length === 0
        ? h('p', { class: 'empty' }, 'It read no other finding.')
        : h(
            'div',
            { class: 'chips' },
            finding.citations.map((cited) => findingLink(cited)),
          ),
    ),
    changes.length === 0
      ? ''
      : card(
          'Files changed',
          'wide',
          table(
            ['File', '#Added', '#Removed', 'Lines'],
            changes.map((change) =>
              h(
                'tr',
                {},
                h('td', { class: 'mono' }, change.path),
                h('td', { class: 'number good' }, String(change.added)),
                h('td', { class: 'number bad' }, String(change.removed)),
                h('td', { class: 'soft' }, change.lines),
              ),
            ),
          ),
        ),
  );
}

document.title = `${id} – fleet`;
await Promise.all([load(), showLogout()]);
