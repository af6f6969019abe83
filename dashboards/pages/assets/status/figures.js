import { Card, Facts, Figure, Meter } from '../elements.js';
import { count, exactUsd, percent, spent, usd } from '../format.js';
import { html } from '../html.js';

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
    <${Figure} value=${usd(used)} note=${limit === null ? 'no limit' : `of ${exactUsd(limit, 2)}`} />
    ${limit !== null && html`<${Meter} label="budget used" ...${toMeter(used, limit)} />`}
    <${Facts} of=${facts} />
  <//>`;
}

/** The bar changes its colour at 75 % of the limit, and again at 92 %. */
function toMeter(used, limit) {
  return { value: used, max: limit || 1, low: limit * 0.75, high: limit * 0.92, optimum: 0 };
}

export function Costs({ spend, vendorNames, totalNanoUsd }) {
  const rows = Object.entries(vendorNames).filter(([vendor]) => vendor !== 'other' || spend.other.nanoUsd !== 0);
  const external = rows
    .filter(([vendor]) => spend[vendor].externalNanoUsd !== 0)
    .map(([vendor, name]) => `${name} ${usd(spend[vendor].externalNanoUsd)}`);
  return html`<${Card} title="Cost this session" class="card half">
    <${Figure} value=${usd(totalNanoUsd)} />
    <${Facts} of=${rows.map(([vendor, name]) => [name, spent(spend[vendor].nanoUsd, 4, spend[vendor].freeLocal)])} />
    ${external.length > 0 && html`<p class="soft">Added by other programs: ${external.join(', ')}</p>`}
  <//>`;
}

export function Delegation({ delegation, lead }) {
  const { delegatedTasks, onTarget, hasTarget, vendors } = delegation;
  const name = lead?.name ?? 'Sonnet';
  const target = hasTarget ? `target 90 % ${onTarget ? '✓' : 'missed'}` : `no target: workers use the class of ${name}`;
  const note = delegatedTasks === null ? 'no task yet' : `of tasks, ${target}`;
  const tone = delegatedTasks === null || !hasTarget ? '' : onTarget ? 'good' : 'warntext';
  const range = { value: delegatedTasks ?? 0, max: 1, low: 0.9, high: 0.9, optimum: 1 };
  const facts = [
    ['Haiku, of tokens', percent(delegation.haikuTokens)],
    ['Haiku, of cost', percent(delegation.haikuCost)],
    ...vendors.map((vendor) => [`${vendor.name}, of tasks`, percent(vendor.tasks)]),
  ];
  return html`<${Card} title="Delegation" class="card half">
    <${Figure} value=${percent(delegatedTasks)} note=${note} class=${tone} />
    <${Meter} label=${`share of tasks that are not on the class of ${name}`} ...${range} />
    <${Facts} of=${facts} />
  <//>`;
}
