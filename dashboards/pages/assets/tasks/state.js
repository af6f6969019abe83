import { html } from '../html.js';

const CLASSES = {
  failed: 'badge failed',
  parked: 'badge warn',
  delayed: 'badge',
  running: 'badge running',
  done: 'badge done',
};

/** The state of a job. What waits for a person is marked. */
export function StateBadge({ state }) {
  return html`<span class=${CLASSES[state] ?? 'badge'}>${state}</span>`;
}
