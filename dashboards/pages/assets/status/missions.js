import { Card, FindingLink, Table, Time } from '../elements.js';
import { count, missionPath, percent, spent, usd } from '../format.js';
import { html } from '../html.js';
import { MissionState, tasksDone } from '../mission/state.js';

const COLUMNS = {
  Began: 'tight',
  Goal: 'text',
  Mission: 'tight',
  State: 'tight',
  'Tasks done': 'number',
  Cost: 'number',
};
/** The newest missions, including those that have ended. */
export function Missions({ missions, coordinator, archive, rework, saving, delegation, lead }) {
  if (missions.length === 0 && coordinator.calls === 0 && archive.calls === 0 && rework.tasks === 0) return null;
  const rows = missions.map((mission) => ({ key: mission.id, cells: toCells(mission) }));
  const money = describeMoney({ coordinator, archive, rework, saving, delegation, lead });
  return html`<${Card} title="Missions">
    ${rows.length > 0 && html`<${Table} class="stack" columns=${COLUMNS} rows=${rows} />`}
    ${money !== '' && html`<p class="soft">${money}</p>`}
  <//>`;
}

function toCells({ id, goal, state, words, isPlanned, tasks, problem, createdAt, finding, costNanoUsd, freeLocal }) {
  return [
    html`<${Time} at=${createdAt} />`,
    html`${goal} ${problem !== '' && state !== 'done' && html`<div class="soft">${problem}</div>`}
    ${finding !== null && html`<div><${FindingLink} id=${finding} /></div>`}`,
    html`<a class="mono" href=${missionPath(id)}>${id}</a>`,
    html`<${MissionState} state=${state} words=${words} />`,
    html`${tasksDone(tasks, isPlanned)}
    ${tasks.failed > 0 && html`<div class="bad">${count(tasks.failed)} failed</div>`}
    ${tasks.cancelled > 0 && html`<div class="soft">${count(tasks.cancelled)} cancelled</div>`}`,
    spent(costNanoUsd, 4, freeLocal),
  ];
}

/** Describes the cost of coordinator, archive and failed tasks, and what Haiku saved; empty: there is none. */
function describeMoney({ coordinator, archive, rework, saving, delegation, lead }) {
  const sentences = [];
  if (coordinator.calls > 0) {
    sentences.push(
      `The coordinator’s own calls, no tasks: ${usd(coordinator.nanoUsd)} for ${count(coordinator.calls)}; ${percent(delegation.coordinatorTokens)} of tokens, ${percent(delegation.coordinatorCost)} of cost.`,
    );
  }
  if (archive.calls > 0) {
    sentences.push(
      `The librarians’ calls, in none of the shares: ${usd(archive.nanoUsd)} for ${count(archive.calls)}, ${count(archive.tokens)} tokens.`,
    );
  }
  if (rework.tasks > 0) sentences.push(`Spent on failed tasks: ${usd(rework.nanoUsd)}.`);
  if (saving !== null) {
    const { savedPercent: saved, effectiveSavedPercent: effective } = saving;
    sentences.push(
      `Saved against all ${lead?.name ?? 'Sonnet'}: ${saved.toFixed(1)} %, after rework ${effective === null ? 'nothing' : `${effective.toFixed(1)} %`}.`,
    );
  }
  return sentences.join(' ');
}
