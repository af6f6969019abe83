import { missionPath } from '../format.js';
import { html } from '../html.js';
import { Button } from './fleet.js';
import { look, row } from './row.js';

/** The scope of jobs whose mission a person parked: no budget releases them. */
export const PARKED_MISSION = 'parked-mission';

/** Questions and plans that wait for a person. */
export function questions({ status: { missions }, busy, on }) {
  return missions
    .filter(({ state }) => state === 'asks' || state === 'planned')
    .map(({ id, goal, state, problem }) =>
      row(
        `mission ${id}`,
        html`<span class="badge warn">${state === 'asks' ? 'question' : 'plan'}</span>`,
        html`<a href=${missionPath(id)}>${goal}</a>${problem !== '' && html`<div class="soft">${problem}</div>`}`,
        look(missionPath(id), state === 'asks' ? 'Answer' : 'Look at its plan'),
        html`<${Button}
          key="park"
          busy=${busy}
          label="Set it aside"
          about=${id}
          does=${() => on.mission(id, 'park')}
        />`,
      ),
    );
}

/** Missions that a person set aside before any job of them was parked: `parked` names the others. */
export function setAside({ status: { missions, parked: groups }, busy, on }) {
  const named = new Set(groups.filter(({ scope }) => scope === PARKED_MISSION).map(({ name }) => name));
  return missions
    .filter(({ id, state }) => state === 'parked' && !named.has(id))
    .map(({ id, goal }) =>
      row(
        `mission ${id}`,
        html`<span class="badge warn">parked</span>`,
        html`<a href=${missionPath(id)}>${goal}</a><span class="soft">, by a person</span>`,
        html`<${Resume} key="resume" ...${{ id, busy, on }} />`,
        look(missionPath(id)),
      ),
    );
}

export function Resume({ id, busy, on }) {
  return html`<${Button}
    busy=${busy}
    label="Resume…"
    about=${id}
    isMain=${true}
    does=${() => on.askFleet({ change: 'mission', id })}
  />`;
}
