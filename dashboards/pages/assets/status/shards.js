import { Card, Facts, Meter } from '../elements.js';
import { count } from '../format.js';
import { html } from '../html.js';

const REMARKS = { exhausted: ' · day used up', failing: ' · failing' };

/** The quota of each shard. */
export function Shards({ shards }) {
  if (shards.length === 0) return null;
  return html`<${Card} title="Librarian shards">
    <div class="shards">${shards.map((shard) => html`<${Shard} key=${shard.shard} ...${shard} />`)}</div>
  <//>`;
}

/** The calls that a shard has left today, as a bar. */
function Shard({ shard, state, left, perDay, starts, perWindow }) {
  if (state === 'no-key') return html`<${Facts} of=${[[`Shard ${shard}`, 'no key']]} />`;
  const range = { value: left, max: Math.max(perDay, 1), low: perDay * 0.1, high: perDay * 0.25, optimum: perDay };
  return html`<div>
    <${Facts} of=${[[`Shard ${shard}${REMARKS[state] ?? ''}`, `${count(left)} of ${count(perDay)}`]]} />
    <${Meter} label=${`calls left today, shard ${shard}`} ...${range} />
    <${Facts} of=${[['This minute', `${count(starts)} of ${count(perWindow)}`]]} />
  </div>`;
}
