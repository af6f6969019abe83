import { missionPath, count } from '../format.js';
import { html } from '../html.js';
import { Time } from '../elements.js';

/** What the fleet does, with what a person can do about all of it. */
export function Fleet({ status, busy, result, on }) {
  const { halt } = status;
  return html`
    ${
      halt === null
        ? html`<section key="running" class="wide fleet">
            <h1>${describe(status)}</h1>
            <div class="actions">
              <${Button} busy=${busy} label="Halt…" does=${() => on.askFleet({ change: 'halt' })} />
              <${Button} busy=${busy} label="Day’s budget…" does=${() => on.askFleet(dayBudget(status.budget))} />
            </div>
          </section>`
        : html`<${Halt} key="halt" ...${status} busy=${busy} on=${on} />`
    }
    <div key="result" class="said" role="status">
      ${busy !== null && html`<p class="soft">Working…</p>`}
      ${result?.said !== undefined && html`<p class="outcome good">${result.said}</p>`}
      ${result?.said === undefined && result?.problem !== undefined && html`<p class="outcome bad">Not done: ${result.problem}</p>`}
    </div>
  `;
}

/** @param does what a click does, unless another change is under way */
export function Button({ busy, label, does, isMain = false, about }) {
  const isFree = busy === null;
  return html`<button
    type="button"
    class=${isMain ? 'main' : 'plain'}
    aria-label=${about === undefined ? undefined : `${label.replace('…', '')} ${about}`}
    aria-disabled=${!isFree}
    onClick=${() => isFree && does()}
  >
    ${label}
  </button>`;
}

export function dayBudget({ limitNanoUsd, settledNanoUsd, reservedNanoUsd, uncertainNanoUsd }) {
  const usedNanoUsd = settledNanoUsd + reservedNanoUsd + uncertainNanoUsd;
  return { change: 'budget', title: 'Day’s budget', scope: null, limitNanoUsd, usedNanoUsd };
}

function describe({ queues, workers }) {
  const sum = (state) => queues.reduce((all, queue) => all + queue[state], 0);
  const [active, waiting] = [sum('active'), sum('waiting') + sum('delayed')];
  const paused = queues.filter((queue) => queue.paused).map(({ name }) => name);
  const what =
    paused.length > 0 ? `Queue ${paused.join(', ')} is paused` : active > 0 ? 'The fleet works' : 'The fleet is idle';
  const process = `${count(workers.length)} ${workers.length === 1 ? 'worker' : 'workers'}`;
  return `${what}: ${process}, ${count(active)} running, ${count(waiting)} waiting`;
}

function Halt({ halt, choices, budget, busy, on }) {
  const { mission } = halt;
  return html`<section class="halt" role="alert" id="halt">
    <h2><span class="stop" aria-hidden="true"></span>The fleet is halted: ${halt.reason}</h2>
    ${halt.detail && html`<p>${halt.detail}</p>`}
    <p class="soft">
      Since <${Time} at=${halt.at} />${halt.by && ` · by ${halt.by}`}${halt.step && ` · at ${halt.step}`}
    </p>
    <ul>
      ${choices.map(({ what, command }) => html`<li key=${command}>${what}: <code>${command}</code></li>`)}
    </ul>
    <div class="actions">
      ${halt.reason === 'budget' && html`<${Button} key="budget" busy=${busy} label="Day’s budget…" isMain=${true} does=${() => on.askFleet(dayBudget(budget))} />`}
      ${
        mission !== undefined &&
        html`<${Button}
            key="try"
            busy=${busy}
            label="Try the mission again…"
            isMain=${true}
            does=${() => on.askFleet({ change: 'mission', id: mission })}
          />
          <${Button} key="park" busy=${busy} label="Set the mission aside" does=${() => on.mission(mission, 'park')} />
          <a key="mission" class="plain" href=${missionPath(mission)}>Look at the mission</a>`
      }
      <${Button}
        key="resume"
        busy=${busy}
        label="Lift the halt…"
        isMain=${halt.reason !== 'budget' && mission === undefined}
        does=${() => on.askFleet({ change: 'resume', halt })}
      />
    </div>
  </section>`;
}
