import { Card, Facts, Meter } from '../elements.js';
import { count, percent } from '../format.js';
import { html } from '../html.js';

const KINDS = { requests: 'Calls a minute', input: 'Tokens a minute', output: 'Output tokens a minute' };

/** What is used of the limits of the models: those that their providers state, and those of their rows. */
export function Limits({ pacing }) {
  const limited = pacing.filter(
    ({ limits, atOnce, heldForMs }) => limits.length > 0 || atOnce !== null || heldForMs > 0,
  );
  if (limited.length === 0) return null;
  return html`<${Card} title="Limits of the models">
    <div class="shards">${limited.map((model, i) => html`<${Model} key=${`${model.model} ${i}`} ...${model} />`)}</div>
  <//>`;
}

function Model({ model, calls, waiting, atOnce, heldForMs, limits }) {
  const waits = waiting.begun + waiting.fresh;
  const most = atOnce === null ? '' : ` of ${count(atOnce)}`;
  const facts = [['Calls under way', count(calls) + most + (waits === 0 ? '' : `, ${count(waits)} wait`)]];
  if (heldForMs > 0) facts.push(['Held back for', `${Math.ceil(heldForMs / 1_000)} s`]);
  return html`<div>
    <b>${model}</b>
    ${limits.map(({ kind, perMinute, used, from }) => {
      const range = { value: used, max: perMinute, low: perMinute * 0.75, high: perMinute * 0.98, optimum: 0 };
      const whose = from === 'row' ? ' (models.json)' : '';
      const text = `${percent(used / perMinute)} of ${count(perMinute)}${whose}`;
      return html`<${Facts} key=${`${kind} ${from}`} of=${[[KINDS[kind], text]]} />
        <${Meter} label=${`${KINDS[kind]}, ${model}`} ...${range} />`;
    })}
    <${Facts} of=${facts} />
  </div>`;
}
