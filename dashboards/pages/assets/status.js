import { drawHead } from './badges.js';
import { followSeries, spanOf } from './charts/follow-series.js';
import { fetchJson, sendChange, showLogout } from './fetch-json.js';
import { exactUsd } from './format.js';
import { html, render } from './html.js';
import { follow } from './live.js';
import { Page } from './status/page.js';
import { createChanges } from './tasks/changes.js';

/** Failed jobs of one reason that one change takes. */
const MOST_JOBS = 200;

/**
 * What the page shows. `span`: of the charts; `series`: what they show, null until it is read; `asked`: a change of the fleet that is to be confirmed; `question`: a change of jobs that is; `busy`: the change
 * under way; `result`: what became of the last one.
 */
let view = { status: null, span: spanOf(), series: null, asked: null, question: null, busy: null, result: null };

/** Draws the page. It changes only what differs, so that focus, selection and scroll positions stay. */
function show(part) {
  view = { ...view, ...part };
  if (view.status !== null) render(html`<${Page} ...${view} on=${handlers} />`, document.querySelector('#main'));
}

async function change(path, body, said) {
  if (view.busy !== null) return;
  show({ asked: null, question: null, result: null, busy: 'fleet' });
  const { answer, problem } = await sendChange(path, body);
  show({ busy: null, result: problem === undefined ? { said: said(answer) } : { problem } });
  await reload();
}

/** Sets a budget. Returns whether it is done; else the question stays, with the rule. */
async function setBudget(limitUsd, scope) {
  if (view.busy !== null) return false;
  show({ result: null, busy: 'fleet' });
  const { answer, problem } = await sendChange('/api/fleet/budget', { limitUsd, scope });
  const isOpen = view.asked !== null; // a person may have closed it meanwhile
  if (problem !== undefined && isOpen) show({ busy: null, asked: { ...view.asked, problem } });
  else show({ busy: null, result: problem === undefined ? { said: describeBudget(answer) } : { problem } });
  if (problem === undefined) void reload();
  return problem === undefined;
}

async function reload() {
  const status = await fetchJson('/api/status');
  if (status !== null) show({ status });
}

const jobChanges = createChanges({ isBusy: () => view.busy !== null, show, reload });

const handlers = {
  ...jobChanges,
  /** @param asked `{ change, … }`, as in `status/ask.js` */
  askFleet: (asked) => view.busy === null && show({ asked, result: null }),
  closeFleet: () => show({ asked: null }),
  halt: (reason) => change('/api/fleet/halt', { reason }, describeHalt),
  resume: (at) => change('/api/fleet/resume', { at }, () => 'The halt is lifted.'),
  setBudget,
  mission: (id, action) => change(`/api/missions/${encodeURIComponent(id)}/${action}`, {}, () => DONE[action]),
  /** Asks about the failed jobs of one reason, the newest first. */
  async askRetry(reason) {
    const query = new URLSearchParams({ state: 'failed', reason, limit: MOST_JOBS });
    const list = view.busy === null ? await fetchJson(`/api/jobs?${query}`) : null;
    if (list === null) return;
    if (list.jobs.length === 0) return reload();
    await jobChanges.ask('retry', list.jobs);
  },
};

const DONE = { park: 'Parked: nothing of it is lost.', resume: 'The mission goes on.' };

function describeHalt({ halted, halt }) {
  return halted ? 'The fleet is halted.' : `The fleet was halted before: ${halt?.reason ?? 'unknown'}.`;
}

function describeBudget({ limitNanoUsd, released, haltedForBudget }) {
  const jobs =
    released === 0 ? '' : ` ${released} parked ${released === 1 ? 'job waits' : 'jobs wait'} for a worker again.`;
  return `The budget is ${exactUsd(limitNanoUsd, 2)}.${jobs}${haltedForBudget ? ' The fleet is still halted: lift the halt.' : ''}`;
}

followSeries(show);
void follow('overview', {
  head(head) {
    drawHead(head);
    // What the page has read itself may differ from what the stream sent last: then the stream has nothing new to tell.
    const isOther = head.version !== undefined && head.version !== view.status?.version;
    if (isOther) void reload();
  },
  overview(status) {
    document.title = `${status.halt ? '⛔ ' : ''}Overview – ${status.swarm}`;
    show({ status });
  },
});
await showLogout();
