import { Card, Facts, Meter } from '../elements.js';
import { count, percent } from '../format.js';
import { html } from '../html.js';

const KINDS = { requests: 'Calls a minute', input: 'Tokens a minute', output: 'Output tokens a minute' };

/** What is used of the limits that the providers of the workers' models state. */
export function Limits({ pacing }) {
  const limited = pacing.filter(({ limits, heldForMs }) => limits.length > 0 || heldForMs > 0);
  if (limited.length === 0) return null;
  return html`<${Card} title="Limits of the providers">
    <div class="shards">${limited.map((model, i) => html`<${Model} key=${`${model.model} ${i}`} ...${model} />`)}</div>
  <//>`;
}

function Model({ model, calls, waiting, heldForMs, limits }) {
  const waits = waiting.begun + waiting.fresh;
  const facts = [['Calls under way', count(calls) + (waits === 0 ? '' : `, ${count(waits)} wait`)]];
  if (heldForMs > 0) facts.push(['Held back for', `${Math.ceil(heldForMs / 1_000)} s`]);
  return html`<div>
    <b>${model}</b>
    ${limits.map(({ kind, perMinute, used }) => {
      const range = { value: used, max: perMinute, low: perMinute * 0.75, high: perMinute * 0.98, optimum: 0 };
      const text = `${percent(used / perMinute)} of ${count(perMinute)}`;
      return html`<${Facts} key=${kind} of=${[[KINDS[kind], text]]} />
        <${Meter} label=${`${KINDS[kind]}, ${model}`} ...${range} />`;
    })}
    <${Facts} of=${facts} />
  </div>`;
}
