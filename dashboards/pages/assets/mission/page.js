import { Answer } from '../archive/answer.js';
import { RetractQuestion, Result } from '../archive/change.js';
import { Card, Facts, FindingLink, Table, Time } from '../elements.js';
import { count, exactUsd, percent, spent, taskPath, usd } from '../format.js';
import { duration } from '../charts/units.js';
import { html } from '../html.js';
import { Actions } from './actions.js';
import { TaskQuestion } from './edit-form.js';
import { Graph } from './graph.js';
import { MissionState } from './state.js';

const COLUMNS = {
  Run: 'tight',
  No: 'number',
  Task: 'text',
  State: 'tight',
  Kind: 'tight',
  Model: 'tight',
  After: 'tight soft',
};

export function Page({ page: { mission, plan, actions }, answer, sources, ...view }) {
  const { dropped, edits, editing, asked, busy, result, on } = view;
  const { goal, state, words, problem, counts, isPlanned, outcome } = mission;
  const canChoose = actions.includes('run');
  return html`
    <section class="wide">
      <h1 class="subject goal">${goal}</h1>
      <p class="soft size">
        <${MissionState} state=${state} words=${words} />
        ${counts.total > 0 && ` ${isPlanned ? `${count(counts.total)} ${counts.total === 1 ? 'task' : 'tasks'} planned` : `${count(counts.done)} of ${count(counts.total)} tasks done`}`}
        ${counts.failed > 0 && html`, <span class="bad">${count(counts.failed)} failed</span>`}
        ${counts.cancelled > 0 && `, ${count(counts.cancelled)} cancelled`}
      </p>
      ${problem !== '' && state !== 'done' && html`<p class="outcome">${problem}</p>`}
      <${Actions} ...${{ mission, plan, actions, dropped, edits, asked, busy, result, on }} />
    </section>
    ${editing !== null && html`<${TaskQuestion} editing=${editing} on=${on} />`}
    ${sources.retract !== null && html`<${RetractQuestion} ...${sources.retract} why=${sources.why} on=${on} />`}
    ${answer !== null && html`<${Answer} answer=${{ ...answer, question: null }} busy=${sources.busy} on=${on} />`}
    ${sources.result !== null && html`<div class="wide" role="status"><${Result} ...${sources.result} /></div>`}
    ${plan !== null && html`<${Plan} ...${{ plan, dropped, edits, canChoose, busy, on }} />`}
    ${plan !== null && html`<${Graph} plan=${plan} dropped=${dropped} />`}
    ${outcome === null && plan !== null && html`<${Forecast} of=${plan.forecast} notes=${plan.notes} />`}
    ${outcome !== null && html`<${Outcome} ...${outcome} cost=${costOf(mission)} />`}
    ${mission.answers.length > 0 && html`<${Answers} of=${mission.answers} />`}
    <${Card} title="Facts" class="card half"><${Facts} of=${factsOf(mission)} /><//>
  `;
}

function Plan({ plan, dropped, edits, canChoose, busy, on }) {
  const isOut = (task) => task.dropped || dropped.has(task.n);
  const rows = plan.tasks.map((task) => ({
    key: task.n,
    cells: [
      html`<input
        type="checkbox"
        aria-label=${`Run task ${task.n}`}
        checked=${!isOut(task)}
        disabled=${!canChoose || busy !== null}
        onChange=${() => on.toggle(task.n)}
      />`,
      task.jobId === null ? task.n : html`<a href=${taskPath(task.jobId)}>${task.n}</a>`,
      html`<${Description}
        ...${{ task, edit: edits.get(task.task), isOut: isOut(task), canEdit: canChoose, busy, on }}
      />`,
      task.state,
      task.kind,
      html`<span class=${task.reason ? 'badge warn' : ''} title=${task.reason ?? ''}
        >${edits.get(task.task)?.model ?? task.model}</span
      >`,
      task.dependsOn.length === 0 ? '' : `after ${toRanges(task.dependsOn)}`,
    ],
  }));
  const left = plan.total - plan.tasks.length;
  return html`<${Card} title=${`Plan: ${count(plan.total)} ${plan.total === 1 ? 'task' : 'tasks'}`}>
    <p class="soft">${plan.approach}</p>
    <${Table} class="stack plan" columns=${COLUMNS} rows=${rows} />
    ${left > 0 && html`<p class="soft">${count(left)} more are not shown here; fleet mission ID --plan has all.</p>`}
    ${canChoose && html`<p class="soft">A task that is left out takes those with it that depend on it. To change what tasks depend on: fleet mission run ID --edit FILE.</p>`}
  <//>`;
}

/** What a task is to do, with what a person changes about it. */
function Description({ task: { n, task, description }, edit, isOut, canEdit, busy, on }) {
  const isFree = busy === null;
  const button = (label, about, does) =>
    html`<button
      type="button"
      class="link edit"
      aria-label=${about}
      aria-disabled=${!isFree}
      onClick=${() => isFree && does()}
    >
      ${label}
    </button>`;
  return html`<span class=${isOut ? 'out' : ''}>${edit?.description ?? description}</span>${' '}
    ${edit !== undefined && html`<span class="badge warn">edited</span>${' '}`}
    ${canEdit && !isOut && button('Edit…', `Edit task ${n}`, () => on.edit(task))}
    ${edit !== undefined && button('Undo', `Undo the edit of task ${n}`, () => on.resetEdit(task))}`;
}

function toShares({ haiku, sonnet, others }) {
  const rest = Object.entries(others).map(([id, tasks]) => `, ${count(tasks)} ${id}`);
  return `${count(haiku)} Haiku, ${count(sonnet)} Sonnet${rest.join('')}`;
}

function Forecast({ of: { tasks, cost, quota, time }, notes }) {
  const saved = cost.allSonnet === 0 ? null : 1 - cost.likely / cost.allSonnet;
  const facts = [
    ['Tasks', toShares(tasks)],
    ['Cost', `${usd(cost.likely)} likely, ${usd(cost.worst)} at worst`],
    ['Of it the synthesis', usd(cost.synthesis)],
    [`All ${cost.comparedWith}`, `${usd(cost.allSonnet)}, saved ${percent(saved)}`],
    ['Budget left today', usd(cost.budgetLeft)],
    ['Questions', quota === null ? 'no archive' : `${count(quota.questions)}, ${count(quota.leftToday)} left today`],
    ['Time', `about ${count(Math.max(1, Math.round(time.likelyMs / 1_000)))} s with ${count(time.slots)} slots`],
  ];
  return html`<${Card} title="Forecast" class="card half">
    <${Facts} of=${facts} />
    ${notes.map((note) => html`<p class="soft">⚠️ ${note}</p>`)}
  <//>`;
}

/** What an ended mission did: nothing of it is to be forecast any more. */
function Outcome({ tasks, tookMs, cost }) {
  const facts = [
    ['Tasks', tasks],
    ['Cost', cost],
    ['Time', tookMs === null ? null : `${duration(tookMs)}, with all waits`],
  ].filter(([, value]) => value !== null);
  return html`<${Card} title="What happened" class="card half"><${Facts} of=${facts} /><//>`;
}

function costOf({ costNanoUsd, freeLocal, limitNanoUsd }) {
  return `${spent(costNanoUsd, 6, freeLocal)}${limitNanoUsd === null ? '' : ` of ${exactUsd(limitNanoUsd)}`}`;
}

function Answers({ of: answers }) {
  return html`<${Card} title="Your answers">
    ${answers.map(
      ({ n, at, by, problem, text }) =>
        html`<div key=${n} class="told">
          <p class="soft">person-${n}, ${by}, <${Time} at=${at} />: ${problem}</p>
          <p>${text}</p>
        </div>`,
    )}
  <//>`;
}

function factsOf(mission) {
  const { id, session, workspace, createdAt, finding, approval, outcome } = mission;
  return [
    ['Mission', html`<a class="mono" href=${taskPath(id)}>${id}</a>`],
    ['Session', session],
    ['Workspace', workspace],
    ['When', html`<${Time} at=${createdAt} />`],
    ['Cost', outcome === null ? costOf(mission) : null],
    ['Approved', approval && html`${approval.by}${approval.edited ? ', edited' : ''} <${Time} at=${approval.at} />`],
    ['Answer', finding && html`<${FindingLink} id=${finding} />`],
  ].filter(([, value]) => value !== null && value !== undefined);
}

/** `1–3, 5`. */
function toRanges(numbers) {
  const ranges = [];
  for (const n of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === n - 1) last[1] = n;
    else ranges.push([n, n]);
  }
  return ranges.map(([from, to]) => (from === to ? from : `${from}–${to}`)).join(', ');
}
