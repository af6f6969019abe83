import { count } from '../format.js';
import { html } from '../html.js';

/** States in which a mission waits for a person. */
const WARNED = ['planned', 'asks', 'parked', 'failed'];

export const MISSION_GOES_ON = 'It goes on where it stopped, within the budgets that hold for it, and may cost money.';

/** Where a mission is. `words`: in the words of `src/coordinator/mission/shown-state.ts`. */
export function MissionState({ state, words }) {
  const badge = html`<span class=${WARNED.includes(state) ? 'badge warn' : 'badge'}
    >${state === 'running' ? state : words}</span
  >`;
  return state === 'running' ? html`${badge} ${words}` : badge;
}

/** `3 / 12` of a mission whose tasks run, `12 planned` of one whose plan waits, `–` of one without a plan. */
export function tasksDone({ done, total }, isPlanned) {
  if (total === 0) return '–';
  return isPlanned ? `${count(total)} planned` : `${count(done)} / ${count(total)}`;
}
