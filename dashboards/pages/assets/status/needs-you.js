import { toAddress } from '../base.js';
import { Card, Table } from '../elements.js';
import { count, missionPath, queuePath, taskPath, usd } from '../format.js';
import { html } from '../html.js';
import { ChangeQuestion, ChangeResult } from '../tasks/change.js';
import { commands } from './commands.js';
import { Button } from './fleet.js';
import { PARKED_MISSION, questions, Resume, setAside } from './mission-needs.js';
import { look, row } from './row.js';

const COLUMNS = { What: 'tight', Why: 'text', 'What helps': 'tight' };
/** Scopes whose budget a person can raise by a name. */
const NAMED_SCOPES = ['client', 'batch', 'mission', 'rule', 'task'];

/** All that waits for a person, besides a halt, each with the button that helps. */
export function NeedsYou({ status, busy, result, question, on }) {
  const parts = { status, busy, on };
  const rows = [questions, setAside, pausedQueues, commands, parked, failures, uncertain, tightClients, chains].flatMap(
    (of) => of(parts),
  );
  const cancelled = status.queues.reduce((sum, queue) => sum + queue.cancelled, 0);
  const isOfJobs = result?.action !== undefined;
  return html`<${Card} title="Needs you">
    ${
      rows.length === 0
        ? html`<p class="empty">Nothing waits for you.</p>`
        : html`<${Table} class="stack needs" columns=${COLUMNS} rows=${rows} head=${false} />`
    }
    ${cancelled > 0 && html`<p class="soft size"><a href=${jobsPath({ state: 'cancelled' })}>${count(cancelled)} cancelled</a>, apart from the failed ones</p>`}
    <div role="status">${isOfJobs && html`<${ChangeResult} ...${{ done: [], refused: [], ...result }} />`}</div>
    ${question !== null && html`<${ChangeQuestion} ...${question} on=${on} />`}
  <//>`;
}

function jobsPath(query) {
  return toAddress(`/tasks?${new URLSearchParams(query)}`);
}

/** None while the fleet is halted: a halt pauses every queue. */
function pausedQueues({ status: { queues, halt } }) {
  if (halt !== null) return [];
  return queues
    .filter(({ paused }) => paused)
    .map(({ name }) =>
      row(
        `paused ${name}`,
        html`<span class="badge warn">paused</span>`,
        `queue ${name}, by a person`,
        look(queuePath(name), 'Resume it there'),
      ),
    );
}

function parked({ status: { parked: groups, queues }, busy, on }) {
  const badge = html`<span class="badge warn">parked</span>`;
  const total = queues.reduce((sum, queue) => sum + queue.parked, 0);
  if (groups.length === 0 && total > 0)
    return [row('parked', badge, jobsOf(total), look(jobsPath({ state: 'parked' })))];
  return groups.map(({ scope, name, count: jobs, budget }) => {
    const key = `parked ${scope} ${name}`;
    if (scope === PARKED_MISSION) {
      const resume = html`<${Resume} key="resume" ...${{ id: name, busy, on }} />`;
      return row(key, badge, `${jobsOf(jobs)} of ${name}, by a person`, resume, look(missionPath(name)));
    }
    const why = `${jobsOf(jobs)} for the budget of ${scope}${name === null ? '' : ` ${name}`}`;
    const canRaise = name !== null && NAMED_SCOPES.includes(scope);
    return row(
      key,
      badge,
      why,
      canRaise && html`<${Raise} key="raise" ...${{ scope, name, budget, busy, on }} />`,
      look(scope === 'task' && name !== null ? taskPath(name) : jobsPath({ state: 'parked' })),
    );
  });
}

function Raise({ scope, name, budget, busy, on }) {
  const known =
    budget === undefined
      ? {}
      : { limitNanoUsd: budget.limit, usedNanoUsd: budget.settled + budget.reserved + budget.uncertain };
  const asked = { change: 'budget', title: `Budget of ${scope} ${name}`, scope: { [scope]: name }, ...known };
  return html`<${Button}
    busy=${busy}
    label="Budget…"
    about=${`of ${scope} ${name}`}
    isMain=${true}
    does=${() => on.askFleet(asked)}
  />`;
}

/** Failed jobs by reason, those of all queues together. */
function failures({ status: { failed, failedSampled, queues }, busy, on }) {
  const isSample = queues.some((queue) => queue.failed + queue.cancelled > failedSampled);
  const reasons = Map.groupBy === undefined ? groupByReason(failed) : Map.groupBy(failed, ({ reason }) => reason);
  return [...reasons].map(([reason, groups]) => {
    const jobs = groups.reduce((sum, group) => sum + group.count, 0);
    const href = jobsPath({ state: 'failed', reason });
    return row(
      `failed ${reason}`,
      html`<span class="badge failed">failed</span>`,
      html`<a class="bad" href=${href}>${count(jobs)}</a>
        ${` ${reason}`}${isSample && html`<span class="soft"> of the newest ${count(failedSampled)}</span>`}
        <div class="soft">
          ${groups.map(({ queue, repair }) => html`<div key=${queue}><a href=${queuePath(queue, 'failed')}>${queue}</a> <code>${repair}</code></div>`)}
        </div>`,
      html`<${Button} key="retry" busy=${busy} label="Retry…" about=${reason} does=${() => on.askRetry(reason)} />`,
      look(href),
    );
  });
}

function groupByReason(failed) {
  const reasons = new Map();
  for (const group of failed) reasons.set(group.reason, [...(reasons.get(group.reason) ?? []), group]);
  return reasons;
}

/** Calls that may have been paid without a reply: a person says what they cost. */
function uncertain({ status: { uncertain: calls } }) {
  if (calls.callCount <= 0) return [];
  const what = `${count(calls.callCount)} ${calls.callCount === 1 ? 'call' : 'calls'} may have been paid without a reply`;
  const today = calls.todayNanoUsd > 0 ? `: at most ${usd(calls.todayNanoUsd)} of today` : '';
  return [
    row(
      'uncertain',
      html`<span class="badge warn">uncertain</span>`,
      what + today,
      look(toAddress('/costs'), 'Settle'),
    ),
  ];
}

function tightClients({ status: { tightClients: clients }, busy, on }) {
  return clients.map(({ name, limitNanoUsd, usedNanoUsd }) => {
    const budget = { limit: limitNanoUsd, settled: usedNanoUsd, reserved: 0, uncertain: 0 };
    const why = `client ${name} has used ${Math.floor((usedNanoUsd / Math.max(1, limitNanoUsd)) * 100)} % of its budget`;
    return row(
      `client ${name}`,
      html`<span class="badge warn">budget</span>`,
      why,
      html`<${Raise} key="raise" ...${{ scope: 'client', name, budget, busy, on }} />`,
    );
  });
}

function chains({ status: { rules } }) {
  if (rules.parked === 0) return [];
  const why = `${count(rules.parked)} parked ${rules.parked === 1 ? 'chain' : 'chains'} of rules`;
  return [
    row('chains', html`<span class="badge warn">parked</span>`, why, look(toAddress('/rules'), 'Release or drop')),
  ];
}

function jobsOf(number) {
  return `${count(number)} ${number === 1 ? 'job' : 'jobs'}`;
}
