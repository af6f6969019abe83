import { Age, Card, Facts, Meter, Table, Time } from '../elements.js';
import { count, taskPath } from '../format.js';
import { html } from '../html.js';

const HELD = { For: 'number', Job: 'text', Model: 'tight soft model' };
const LEASES = { For: 'number', Task: 'text', Worker: 'soft of', 'Lease ends': 'tight' };

/** All processes that take jobs, those that need a person first. */
export function Page({ now, version, processes, outside, orphans, notices }) {
  const needy = processes.filter(({ needs }) => needs.length > 0).length + notices.length;
  return html`
    <section class="wide">
      <h1>Workers</h1>
      <p class="soft size">${describe(processes)} This dashboard runs version ${version}.</p>
      <p class=${needy === 0 ? 'outcome good' : 'outcome warntext'}>
        ${needy === 0 ? 'None needs a person.' : `${count(needy)} ${needy === 1 ? 'needs' : 'need'} a person.`}
      </p>
      <${Needs} needs=${notices.map(toNeed)} />
    </section>
    ${processes.map((one) => html`<${Process} key=${one.id} ...${one} now=${now} />`)}
    ${outside.offered + outside.held > 0 && html`<${Outside} ...${outside} now=${now} />`}
    ${orphans.length > 0 && html`<${Orphans} jobs=${orphans} now=${now} />`}
  `;
}

function describe(processes) {
  if (processes.length === 0) return 'No process is up.';
  const slots = processes.reduce((sum, one) => sum + (one.slots ?? 0), 0);
  const held = processes.reduce((sum, one) => sum + one.holds.length, 0);
  const noun = processes.length === 1 ? 'process is' : 'processes are';
  return `${count(processes.length)} ${noun} up, ${count(slots)} ${slots === 1 ? 'slot' : 'slots'} for tasks, ${count(held)} ${held === 1 ? 'job' : 'jobs'} in work.`;
}

function toNeed({ label, text, command, hint }) {
  return { text: `${label}: ${text}`, command: command ?? hint ?? '' };
}

/** What a person should look at, each with the command that helps. */
function Needs({ needs }) {
  if (needs.length === 0) return null;
  return html`<ul class="paths needs">
    ${needs.map(
      ({ text, command }) =>
        html`<li key=${`${text} ${command}`}>${text}${command !== '' && html`: <code>${command}</code>`}</li>`,
    )}
  </ul>`;
}

function Process({ id, needs, holds, slots, now, ...told }) {
  const title = html`<span class="name">${id}</span>
    ${needs.length > 0 && html`<span class="badge warn">needs a person</span>`}`;
  return html`<${Card} title=${title} class="wide worker">
    <${Needs} needs=${needs} />
    ${slots !== null && html`<${Meter} label=${`slots in use, ${id}`} value=${holds.length} max=${Math.max(slots, 1)} />`}
    <${Facts} of=${factsOf({ slots, used: holds.length, ...told })} />
    ${holds.length === 0 ? html`<p class="empty">idle</p>` : html`<${Held} jobs=${holds} now=${now} />`}
  <//>`;
}

function factsOf({ slots, used, version, host, pid, workspaces, startedAt, seenAt }) {
  return [
    ['Slots', slots === null ? null : `${count(used)} of ${count(slots)} in use`],
    ['Version', version],
    ['Process', host === null ? null : `${host}, pid ${pid}`],
    ['Workspaces', host === null ? null : workspaces.join(', ') || 'none'],
    ['Up since', startedAt && html`<${Time} at=${startedAt} />`],
    ['Last sign', seenAt && html`<${Time} at=${seenAt} />`],
  ].filter(([, value]) => value !== null && value !== '');
}

/** The jobs that a process holds, and for how long. */
function Held({ jobs, now }) {
  const rows = jobs.map((job) => ({
    key: job.id,
    cells: [toAge(job.since, now), html`<${Job} ...${job} />`, job.model],
  }));
  return html`<${Table} class="stack" columns=${HELD} rows=${rows} />`;
}

function Job({ id, kind, text }) {
  return html`<div>${kind !== 'task' && html`<span class="badge">${kind}</span>${' '}`}${text}</div>
    <a class="mono" href=${taskPath(id)}>${id}</a>`;
}

/** @param since null: it began or ended at this moment */
function toAge(since, now) {
  return since === null ? '–' : html`<${Age} at=${since} now=${now} />`;
}

/** Tasks that agents and programs outside of the fleet hold under a lease. */
function Outside({ offered, held, leases, now }) {
  const rows = leases.map(({ taskId, worker, claimedAt, expiresAt }) => ({
    key: taskId,
    cells: [
      toAge(claimedAt, now),
      html`<a class="mono" href=${taskPath(taskId)}>${taskId}</a>`,
      worker,
      html`<${Time} at=${expiresAt} />`,
    ],
  }));
  const more = held - leases.length;
  return html`<${Card} title="Outside workers">
    <p class="soft">
      ${`${count(offered)} ${offered === 1 ? 'task is' : 'tasks are'} offered, ${count(held)} held${more > 0 ? `, ${count(more)} of them not shown` : ''}.`}
    </p>
    ${rows.length > 0 && html`<${Table} class="stack" columns=${LEASES} rows=${rows} />`}
  <//>`;
}

/** Jobs whose process is gone: another one continues them from their stored replies. */
function Orphans({ jobs, now }) {
  const columns = { For: 'number', Job: 'text', 'Last worker': 'soft of' };
  const rows = jobs.map(({ worker, since, ...job }) => ({
    key: job.id,
    cells: [toAge(since, now), html`<${Job} ...${job} />`, worker ?? '–'],
  }));
  return html`<${Card} title="Their process is gone: another one continues them">
    <${Table} class="stack" columns=${columns} rows=${rows} />
  <//>`;
}
