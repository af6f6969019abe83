import { fetchJson, showLogout } from './fetch-json.js';
import { card, count, findingLink, h, jobLink, percent, table, usd, when } from './dom.js';

const REFRESH_MS = 2_000;
const VENDORS = { sonnet: 'Sonnet', haiku: 'Haiku', gemini: 'Gemini', other: 'Other' };
const STATES = ['waiting', 'active', 'delayed', 'parked', 'completed', 'failed'];

let recent = [];
let recentFor = '';

async function refresh() {
  const status = await fetchJson('/api/status');
  if (status !== null) {
    const stamp = `${status.findings.live} ${status.findings.sinceSession}`;
    if (stamp !== recentFor) {
      const answer = await fetchJson('/api/findings?limit=10');
      if (answer !== null) [recent, recentFor] = [answer.findings, stamp];
    }
    draw(status);
  }
  setTimeout(
    () => (document.hidden ? document.addEventListener('visibilitychange', refresh, { once: true }) : refresh()),
    REFRESH_MS,
  );
}

function draw(status) {
  document.title = `${status.halt ? '⛔ ' : ''}Status – ${status.swarm}`;
  document
    .querySelector('#swarm')
    .replaceChildren(
      h('span', { class: 'badge' }, `swarm ${status.swarm}`),
      h('span', { class: 'badge' }, `session ${status.session.name ?? '–'}`),
      status.kind === 'simulated' ? h('span', { class: 'badge warn' }, 'simulated models') : '',
    );
  const main = document.querySelector('#main');
  const scrolled = [...main.querySelectorAll('.scroll')].map((part) => part.scrollLeft);
  main.replaceChildren(
    ...[drawHalt(status), drawFindings(status), drawWorkers(status), drawBudget(status), drawCosts(status)].filter(
      Boolean,
    ),
    ...[
      drawDelegation(status),
      drawMissions(status),
      drawNotices(status),
      drawQueues(status),
      drawFailed(status),
      drawShards(status),
    ].filter(Boolean),
    drawWorkerTable(status),
    drawRecent(),
  );
  [...main.querySelectorAll('.scroll')].forEach((part, i) => (part.scrollLeft = scrolled[i] ?? 0));
}

function drawHalt({ halt, choices }) {
  if (halt === null) return null;
  return h(
    'section',
    { class: 'halt', role: 'alert', id: 'halt' },
    h('h2', {}, h('span', { class: 'stop', 'aria-hidden': 'true' }), `The fleet is halted: ${halt.reason}`),
    halt.detail ? h('p', {}, halt.detail) : null,
    h(
      'p',
      { class: 'soft' },
      'Since ',
      when(halt.at),
      halt.by ? ` · by ${halt.by}` : '',
      halt.step ? ` · at ${halt.step}` : '',
    ),
    h(
      'ul',
      {},
      choices.map((choice) => h('li', {}, `${choice.what}: `, h('code', {}, choice.command))),
    ),
  );
}

function drawFindings({ findings, shards }) {
  return card(
    'Findings',
    'card third',
    h(
      'div',
      { class: 'figure' },
      count(findings.live),
      ' ',
      h('small', {}, `+${count(findings.sinceSession)} this session`),
    ),
    h('dl', {}, h('dt', {}, 'Context'), h('dd', {}, `~${count(findings.contextTokens)} tokens`)),
    shards.length === 0 ? h('dl', {}, h('dt', {}, 'Librarians'), h('dd', {}, 'none configured')) : null,
  );
}

/** The librarians' quota, a shard beside the other. Null: none is configured. */
function drawShards({ shards }) {
  if (shards.length === 0) return null;
  return card(
    'Librarian shards',
    'wide',
    h(
      'div',
      { class: 'shards' },
      shards.map((shard) => drawShard(shard)),
    ),
  );
}

/** What a shard has left today, as a bar. */
function drawShard({ shard, state, left, perDay, starts, perWindow }) {
  if (state === 'no-key') return h('dl', {}, h('dt', {}, `Shard ${shard}`), h('dd', {}, 'no key'));
  const note = { exhausted: ' · day used up', failing: ' · failing' }[state] ?? '';
  return h(
    'div',
    {},
    h('dl', {}, h('dt', {}, `Shard ${shard}${note}`), h('dd', {}, `${count(left)} of ${count(perDay)}`)),
    h('meter', {
      min: 0,
      max: Math.max(perDay, 1),
      low: perDay * 0.1,
      high: perDay * 0.25,
      optimum: perDay,
      value: left,
      'aria-label': `calls left today, shard ${shard}`,
    }),
    h('dl', {}, h('dt', {}, 'This minute'), h('dd', {}, `${count(starts)} of ${count(perWindow)}`)),
  );
}

function drawWorkers({ workers }) {
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  const busy = workers.reduce((sum, worker) => sum + worker.active.length, 0);
  return card(
    'Haiku workers',
    'card third',
    h('div', { class: 'figure' }, String(workers.length), ' ', h('small', {}, `${count(slots)} slots`)),
    h('meter', { min: 0, max: Math.max(slots, 1), value: busy, 'aria-label': 'slots in use' }),
    h('dl', {}, h('dt', {}, 'In use'), h('dd', {}, `${busy} of ${count(slots)}`)),
  );
}

function drawBudget({ budget, uncertain }) {
  const used = budget.settledNanoUsd + budget.reservedNanoUsd + budget.uncertainNanoUsd;
  const limit = budget.limitNanoUsd;
  return card(
    'Budget today (UTC)',
    'card third',
    h('div', { class: 'figure' }, usd(used), ' ', h('small', {}, limit === null ? 'no limit' : `of ${usd(limit, 2)}`)),
    limit === null
      ? null
      : h('meter', {
          min: 0,
          max: limit || 1,
          low: limit * 0.75,
          high: limit * 0.92,
          optimum: 0,
          value: used,
          'aria-label': 'budget used',
        }),
    h(
      'dl',
      {},
      h('dt', {}, 'Reserved by running calls'),
      h('dd', {}, usd(budget.reservedNanoUsd)),
      ...(uncertain.callCount > 0
        ? [h('dt', {}, `Uncertain (calls: ${uncertain.callCount})`), h('dd', {}, usd(uncertain.todayNanoUsd))]
        : []),
    ),
  );
}

function drawCosts({ spend, totalNanoUsd }) {
  const rows = Object.entries(VENDORS).filter(([vendor]) => vendor !== 'other' || spend.other.nanoUsd !== 0);
  const external = rows.filter(([vendor]) => spend[vendor].externalNanoUsd !== 0);
  return card(
    'Cost this session',
    'card half',
    h('div', { class: 'figure' }, usd(totalNanoUsd)),
    h(
      'dl',
      {},
      rows.flatMap(([vendor, name]) => [h('dt', {}, name), h('dd', {}, usd(spend[vendor].nanoUsd))]),
    ),
    external.length === 0
      ? null
      : h(
          'p',
          { class: 'soft' },
          `Added by other programs: ${external.map(([vendor, name]) => `${name} ${usd(spend[vendor].externalNanoUsd)}`).join(', ')}`,
        ),
  );
}

function drawDelegation({ delegation }) {
  const none = delegation.haikuTasks === null;
  return card(
    'Delegation to Haiku',
    'card half',
    h(
      'div',
      { class: 'figure' },
      percent(delegation.haikuTasks),
      ' ',
      h(
        'small',
        { class: none ? '' : delegation.onTarget ? 'good' : 'warntext' },
        none ? 'no task yet' : `of tasks, target 90 % ${delegation.onTarget ? '✓' : 'missed'}`,
      ),
    ),
    h('meter', {
      min: 0,
      max: 1,
      low: 0.9,
      high: 0.9,
      optimum: 1,
      value: delegation.haikuTasks ?? 0,
      'aria-label': 'share of tasks done by Haiku',
    }),
    h(
      'dl',
      {},
      h('dt', {}, 'Of tokens'),
      h('dd', {}, percent(delegation.haikuTokens)),
      h('dt', {}, 'Of cost'),
      h('dd', {}, percent(delegation.haikuCost)),
      h('dt', {}, 'Sonnet, of tasks'),
      h('dd', {}, percent(delegation.sonnetTasks)),
    ),
  );
}

/** The newest missions, ended ones too. Null: there was none. */
function drawMissions({ missions, coordinator, rework, saving, delegation }) {
  if (missions.length === 0 && coordinator.calls === 0 && rework.tasks === 0) return null;
  const rows = missions.map(({ id, goal, state, step, tasks, problem, createdAt, finding, costNanoUsd }) =>
    h(
      'tr',
      {},
      h('td', { class: 'tight' }, when(createdAt)),
      h(
        'td',
        { class: 'text' },
        goal,
        problem === '' || state === 'done' ? null : h('div', { class: 'soft' }, problem),
        finding === null ? null : h('div', {}, findingLink(finding)),
      ),
      h('td', { class: 'tight' }, h('a', { class: 'mono', href: jobLink('missions', id) }, id)),
      h(
        'td',
        { class: 'tight' },
        h('span', { class: ['asks', 'parked', 'failed'].includes(state) ? 'badge warn' : 'badge' }, state),
        state === 'running' ? ` ${step}` : '',
      ),
      h(
        'td',
        { class: 'number' },
        tasks.total === 0 ? '–' : `${count(tasks.done)} / ${count(tasks.total)}`,
        tasks.failed === 0 ? null : h('div', { class: 'bad' }, `${count(tasks.failed)} failed`),
      ),
      h('td', { class: 'number' }, usd(costNanoUsd)),
    ),
  );
  const money = [
    coordinator.calls === 0
      ? ''
      : `The coordinator’s own calls, no tasks: ${usd(coordinator.nanoUsd)} for ${count(coordinator.calls)}; ${percent(delegation.coordinatorTokens)} of tokens, ${percent(delegation.coordinatorCost)} of cost.`,
    rework.tasks === 0 ? '' : `Spent on failed tasks: ${usd(rework.nanoUsd)}.`,
    saving === null
      ? ''
      : `Saved against all Sonnet: ${saving.savedPercent.toFixed(1)} %, after rework ${saving.effectiveSavedPercent === null ? 'nothing' : `${saving.effectiveSavedPercent.toFixed(1)} %`}.`,
  ].filter((text) => text !== '');
  return card(
    'Missions',
    'wide',
    rows.length === 0 ? null : table(['Began', 'Goal', 'Mission', 'State', '#Tasks done', '#Cost'], rows, 'stack'),
    money.length === 0 ? null : h('p', { class: 'soft' }, money.join(' ')),
  );
}

function drawNotices(status) {
  const { parked, cooling, counters, tasksWithoutWorker, queues, halt, archiveNotice } = status;
  const { questionsWithoutLibrarian: questions, missionsWithoutCoordinator: missions } = status;
  const lines = [];
  if (archiveNotice) lines.push([archiveNotice, null]);
  if (tasksWithoutWorker > 0) lines.push([`${count(tasksWithoutWorker)} tasks wait and no worker runs`, 'fleet up']);
  if (questions > 0) lines.push([`Questions wait and no librarian runs: ${count(questions)}`, 'fleet up']);
  if (missions > 0) lines.push([`Missions wait and no coordinator runs: ${count(missions)}`, 'fleet up']);
  const paused = halt === null ? queues.filter((queue) => queue.paused).map((queue) => queue.name) : [];
  if (paused.length > 0) lines.push([`Paused by a person: ${paused.join(', ')}; resume it in the queue's page`, null]);
  for (const { scope, name, count: jobs } of parked) {
    lines.push(
      scope === 'parked-mission'
        ? [`${count(jobs)} jobs of ${name ?? ''} set aside by a person`, `fleet resume ${name ?? 'MISSION'}`]
        : [
            `${count(jobs)} jobs parked: budget of ${scope} ${name ?? ''}`,
            `fleet budget USD --${scope} ${name ?? 'ID'}`,
          ],
    );
  }
  for (const { model, forMs } of cooling)
    lines.push([`${model} waits ${Math.ceil(forMs / 1000)} s for its provider`, null]);
  const worthSaying = Object.entries(counters).filter(([name]) => !name.startsWith('failed_'));
  const counted = worthSaying.map(([name, number]) => `${name.replaceAll('_', ' ')}: ${count(number)}`);
  if (counted.length > 0) lines.push([`Since the swarm began – ${counted.join(' · ')}`, null]);
  if (lines.length === 0) return null;
  return card(
    'Notices',
    'wide',
    table(
      [],
      lines.map(([text, command]) =>
        h('tr', {}, h('td', { class: 'text' }, text), h('td', {}, command ? h('code', {}, command) : '')),
      ),
      'stack',
    ),
  );
}

function drawQueues({ queues }) {
  const rows = queues.map((queue) =>
    h(
      'tr',
      {},
      h(
        'td',
        { class: 'tight' },
        h('a', { href: `/queues/queue/${queue.name}` }, queue.name),
        queue.paused ? h('span', { class: 'badge warn' }, 'paused') : null,
        queue.waitingForChildren > 0
          ? h('span', { class: 'badge' }, `${count(queue.waitingForChildren)} waiting for tasks`)
          : null,
      ),
      STATES.map((state) => {
        const number = count(queue[state]);
        const colour = queue[state] === 0 ? 'zero' : state === 'failed' ? 'bad' : '';
        const shown =
          state === 'parked'
            ? number
            : h('a', { class: colour, href: `/queues/queue/${queue.name}?status=${state}` }, number);
        return h('td', { class: `number ${colour}` }, shown);
      }),
    ),
  );
  return card('Queues', 'wide', table(['Queue', ...STATES.map((state) => `#${state}`)], rows, 'even'));
}

function drawFailed({ failed, failedSampled, queues }) {
  if (failed.length === 0) return null;
  const rows = failed.map(({ queue, reason, count: jobs, repair }) =>
    h(
      'tr',
      {},
      h('td', { class: 'number bad' }, count(jobs)),
      h('td', { class: 'tight' }, reason),
      h('td', { class: 'tight' }, h('a', { href: `/queues/queue/${queue}?status=failed` }, queue)),
      h('td', {}, h('code', {}, repair)),
    ),
  );
  const sampled = queues.some((queue) => queue.failed > failedSampled);
  return card(
    sampled ? `Failed by reason (newest ${count(failedSampled)} of each queue)` : 'Failed by reason',
    'wide',
    table(['#Jobs', 'Reason', 'Queue', 'What mends it'], rows),
  );
}

function drawWorkerTable({ workers }) {
  if (workers.length === 0) {
    return card(
      'Workers',
      'wide',
      h('p', { class: 'empty' }, 'No worker runs. Start the fleet with ', h('code', {}, 'fleet up')),
    );
  }
  const rows = workers.map((worker) =>
    h(
      'tr',
      {},
      h('td', { class: 'tight' }, worker.id),
      h('td', { class: 'tight soft' }, `${worker.host} · pid ${worker.pid}`),
      h('td', { class: 'number' }, `${worker.active.length} / ${worker.slots}`),
      h(
        'td',
        {},
        h(
          'div',
          { class: 'chips' },
          worker.active.length === 0
            ? h('span', { class: 'soft' }, 'idle')
            : worker.active.map((id) => h('a', { class: 'chip', href: jobLink('tasks', id) }, id)),
        ),
      ),
      h('td', { class: 'soft' }, worker.workspaces.join(', ') || 'none'),
    ),
  );
  return card('Workers', 'wide', table(['Worker', 'Process', '#Slots', 'Working on', 'Workspaces'], rows, 'stack'));
}

function drawRecent() {
  const title = h('span', {}, 'Newest findings');
  if (recent.length === 0)
    return h('section', { class: 'wide' }, h('h2', {}, title), h('p', { class: 'empty' }, 'None yet.'));
  const rows = recent.map((finding) =>
    h(
      'tr',
      {},
      h('td', { class: 'tight' }, when(finding.at)),
      h('td', { class: 'text' }, finding.summary || '–'),
      h('td', { class: 'tight' }, findingLink(finding.id)),
      h('td', { class: 'number' }, finding.costUsd === null ? '–' : `$${finding.costUsd.toFixed(6)}`),
    ),
  );
  return h(
    'section',
    { class: 'wide' },
    h('h2', {}, title, h('a', { href: '/findings' }, 'All findings')),
    table(['Time', 'Summary', 'Finding', '#Cost'], rows, 'stack'),
  );
}

await Promise.all([refresh(), showLogout()]);
