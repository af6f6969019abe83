import { Card, Facts, Figure, Meter } from '../elements.js';
import { count, percent, usd } from '../format.js';
import { html } from '../html.js';

const VENDORS = { sonnet: 'Sonnet', haiku: 'Haiku', gemini: 'Gemini', other: 'Other' };

export function Findings({ findings, shards }) {
  const partial = findings.partialSinceSession === 0 ? '' : `, ${count(findings.partialSinceSession)} partial`;
  const toolErrors =
    findings.toolErrorsSinceSession === 0 ? '' : `, ${count(findings.toolErrorsSinceSession)} with tool errors`;
  return html`<${Card} title="Findings" class="card third">
    <${Figure}
      value=${count(findings.live)}
      note=${`+${count(findings.sinceSession)} this session${partial}${toolErrors}`}
    />
    <${Facts} of=${[['Context', `~${count(findings.contextTokens)} tokens`]]} />
    ${shards.length === 0 && html`<${Facts} of=${[['Librarians', 'none configured']]} />`}
  <//>`;
}

export function Budget({ budget, uncertain }) {
  const used = budget.settledNanoUsd + budget.reservedNanoUsd + budget.uncertainNanoUsd;
  const limit = budget.limitNanoUsd;
  const facts = [['Reserved by running calls', usd(budget.reservedNanoUsd)]];
  if (uncertain.callCount > 0) facts.push([`Uncertain (calls: ${uncertain.callCount})`, usd(uncertain.todayNanoUsd)]);
  return html`<${Card} title="Budget today (UTC)" class="card third">
    <${Figure} value=${usd(used)} note=${limit === null ? 'no limit' : `of ${usd(limit, 2)}`} />
    ${limit !== null && html`<${Meter} label="budget used" ...${toMeter(used, limit)} />`}
    <${Facts} of=${facts} />
  <//>`;
}

/** The bar changes its colour at 75 % of the limit, and again at 92 %. */
function toMeter(used, limit) {
  return { value: used, max: limit || 1, low: limit * 0.75, high: limit * 0.92, optimum: 0 };
}

export function Costs({ spend, totalNanoUsd }) {
  const rows = Object.entries(VENDORS).filter(([vendor]) => vendor !== 'other' || spend.other.nanoUsd !== 0);
  const external = rows
    .filter(([vendor]) => spend[vendor].externalNanoUsd !== 0)
    .map(([vendor, name]) => `${name} ${usd(spend[vendor].externalNanoUsd)}`);
  return html`<${Card} title="Cost this session" class="card half">
    <${Figure} value=${usd(totalNanoUsd)} />
    <${Facts} of=${rows.map(([vendor, name]) => [name, usd(spend[vendor].nanoUsd)])} />
    ${external.length > 0 && html`<p class="soft">Added by other programs: ${external.join(', ')}</p>`}
  <//>`;
}

export function Delegation({ delegation }) {
  const { haikuTasks, onTarget } = delegation;
  const note = haikuTasks === null ? 'no task yet' : `of tasks, target 90 % ${onTarget ? '✓' : 'missed'}`;
  const tone = haikuTasks === null ? '' : onTarget ? 'good' : 'warntext';
  const range = { value: haikuTasks ?? 0, max: 1, low: 0.9, high: 0.9, optimum: 1 };
  const facts = [
    ['Of tokens', percent(delegation.haikuTokens)],
    ['Of cost', percent(delegation.haikuCost)],
    ['Sonnet, of tasks', percent(delegation.sonnetTasks)],
  ];
  return html`<${Card} title="Delegation to Haiku" class="card half">
    <${Figure} value=${percent(haikuTasks)} note=${note} class=${tone} />
    <${Meter} label="share of tasks done by Haiku" ...${range} />
    <${Facts} of=${facts} />
  <//>`;
}
