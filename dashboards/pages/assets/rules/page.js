import { Card, Facts, FindingLink, Time } from '../elements.js';
import { count, exactUsd, taskPath, usd } from '../format.js';
import { html } from '../html.js';
import { RuleQuestion, RuleResult } from './change.js';

/** All rules, each with what it matches, did and cost. */
export function Page({ rules, asked, busy, result, on }) {
  const gone = result !== null && !rules.some(({ name }) => name === result.name);
  return html`
    <section class="wide">
      <h1>Rules</h1>
      <p class="soft size">
        A rule starts a task for each finding that fits. <code>fleet when NAME --topic T --task "…"</code> adds one.
      </p>
      ${rules.length === 0 && html`<p class="empty">There are no rules.</p>`}
      ${gone && html`<div role="status"><${RuleResult} ...${result} /></div>`}
    </section>
    ${rules.map((rule) => html`<${Rule} key=${rule.name} rule=${rule} busy=${busy} result=${result} on=${on} />`)}
    ${asked !== null && html`<${RuleQuestion} asked=${asked} on=${on} />`}
  `;
}

function Rule({ rule, busy, result, on }) {
  const { name, state, problem, match, task, catchingUp, chains, parked } = rule;
  const isPaused = state === 'paused';
  const word = !isPaused && catchingUp !== null ? 'catching up' : state;
  const title = html`<span class="name">${name}</span
    ><span class=${isPaused || problem !== null ? 'badge warn' : 'badge'}>${word}</span>`;
  return html`<${Card} title=${title} class="wide rule">
    <p class="when"><span class="soft">When</span> ${match}</p>
    <p class="task">${task}</p>
    ${problem !== null && html`<p class="outcome warntext">${problem}</p>`}
    <${Facts} of=${factsOf(rule)} />
    <div class="actions">
      ${
        isPaused
          ? html`<${Button}
              key="resume"
              rule=${rule}
              busy=${busy}
              label="Resume…"
              does=${() => on.ask(rule, 'resume')}
              isMain=${true}
            />`
          : html`<${Button} key="pause" rule=${rule} busy=${busy} label="Pause" does=${on.pause} />`
      }
      <${Button} key="remove" rule=${rule} busy=${busy} label="Remove…" does=${() => on.ask(rule, 'remove')} />
    </div>
    <div role="status">${result !== null && result.name === name && html`<${RuleResult} ...${result} />`}</div>
    ${parked > 0 && html`<${Chains} rule=${rule} chains=${chains} busy=${busy} on=${on} />`}
    ${rule.recent.length > 0 && html`<${Recent} fired=${rule.recent} />`}
  <//>`;
}

/** @param does gets the rule */
function Button({ rule, busy, label, does, isMain = false }) {
  const isFree = busy === null;
  return html`<button
    type="button"
    class=${isMain ? 'main' : 'plain'}
    aria-label=${`${label.replace('…', '')} rule ${rule.name}`}
    aria-disabled=${!isFree}
    onClick=${() => isFree && does(rule)}
  >
    ${label}
  </button>`;
}

function factsOf({ limits, fired, firedToday, lastFiredAt, skipped, catchingUp, costNanoUsd, limitNanoUsd, ...more }) {
  const { client, workspace } = more;
  const passed = skipped.max + skipped.once;
  return [
    ['Tasks', `${count(fired)} started, ${count(firedToday)} today`],
    ['Cost', `${usd(costNanoUsd)}${limitNanoUsd === null ? '' : ` of ${exactUsd(limitNanoUsd)}`}`],
    ['Limits', limits],
    ['Last', lastFiredAt && html`<${Time} at=${lastFiredAt} />`],
    ['Passed over', passed > 0 && `${count(passed)} ${passed === 1 ? 'finding' : 'findings'}, for its limits`],
    [
      'Catches up',
      catchingUp && html`since <${Time} at=${catchingUp.since} />, ${count(catchingUp.lookedAt)} looked at`,
    ],
    ['Workspace', workspace],
    ['Client', client],
  ].filter(([, value]) => value !== null && value !== undefined && value !== false);
}

/** The chains that are parked, each from its first finding to the rule that would go on. */
function Chains({ rule, chains, busy, on }) {
  const all = chains.map(({ taskId }) => taskId);
  const left = rule.parked - chains.length;
  const release = {
    label: all.length === 1 ? 'Release…' : 'Release all…',
    does: () => on.ask(rule, 'release', { taskIds: all }),
    isMain: true,
  };
  const drop = {
    label: all.length === 1 ? 'Drop…' : 'Drop all…',
    does: () => on.ask(rule, 'drop', { taskIds: all }),
  };
  return html`<details open>
    <summary>
      <span class="path">${`${count(rule.parked)} parked ${rule.parked === 1 ? 'chain' : 'chains'}`}</span>
    </summary>
    <ul class="chains">
      ${chains.map(
        ({ taskId, chain, why, detail, parkedAt }) =>
          html`<li key=${taskId}>
            <div class="chain">
              ${chain.map(
                ({ rule: name, finding }) =>
                  html`<${KnownFinding} id=${finding} /> <span class="soft">→</span>
                    <span class="chip">${name}</span> `,
              )}
            </div>
            <div class="soft">${why}: ${detail} <${Time} at=${parkedAt} /></div>
          </li>`,
      )}
    </ul>
    ${left > 0 && html`<p class="soft">${count(left)} more: <code>fleet when show ${rule.name} --json</code></p>`}
    <div class="actions inside">
      <${Button} rule=${rule} busy=${busy} ...${release} />
      <${Button} rule=${rule} busy=${busy} ...${drop} />
    </div>
  </details>`;
}

function Recent({ fired }) {
  return html`<details>
    <summary><span class="path">The newest findings it fired for</span></summary>
    <ul class="chains">
      ${fired.map(
        ({ finding, taskId, at }) =>
          html`<li key=${finding}>
            <div class="chain">
              <${KnownFinding} id=${finding} /> <span class="soft">→</span>
              <a class="mono" href=${taskPath(taskId)}>${taskId}</a>
            </div>
            <div class="soft"><${Time} at=${at} /></div>
          </li>`,
      )}
    </ul>
  </details>`;
}

/** A finding of another swarm has no page here. */
function KnownFinding({ id }) {
  return id.includes('/') ? html`<span class="mono">${id}</span>` : html`<${FindingLink} id=${id} />`;
}
