import { toAddress } from '../base.js';
import { Card, Facts, FindingLink, PatchState, Table, Time } from '../elements.js';
import { count, missionPath, taskPath } from '../format.js';
import { html } from '../html.js';
import { Actions } from './actions.js';
import { Diff } from './diff.js';

const LEFT_OUT = { Path: 'mono text', Why: 'text' };

export function Page({ patch: { patch, diff, actions, obstacle }, asked, busy, result, on }) {
  return html`
    <section class="wide">
      <h1 class="subject">${patch.subject}</h1>
      <p class="soft size">
        <${PatchState} state=${patch.state} /> ${count(patch.files)} ${patch.files === 1 ? 'file' : 'files'} ${' '}<span
          class="good"
          >+${count(patch.added)}</span
        >${' '}<span class="bad">−${count(patch.removed)}</span>
      </p>
      <${Actions} ...${{ patch, actions, obstacle, asked, busy, result, on }} />
    </section>
    <${Card} title="Facts"><${Facts} of=${factsOf(patch)} /><//>
    ${patch.conflict && patch.state === 'conflict' && html`<${Conflict} ...${patch.conflict} />`}
    ${patch.leftOutCount > 0 && html`<${LeftOut} of=${patch.leftOut} total=${patch.leftOutCount} />`}
    <${Diff} patch=${patch} diff=${diff} />
  `;
}

function factsOf(patch) {
  const { id, taskId, workspace, base, head, branch, batch, missionId, host, buildsOn, applied, undone } = patch;
  const mono = (text) => html`<span class="mono">${text}</span>`;
  return [
    ['Finding', html`<${FindingLink} id=${id} />`],
    ['Task', html`<a class="mono" href=${taskPath(taskId)}>${taskId}</a>`],
    ['Workspace', workspace],
    ['Commits', mono(`${short(base)}..${short(head)}`)],
    ['Branch', mono(branch)],
    ['Batch', batch],
    ['Mission', missionId && html`<a class="mono" href=${missionPath(missionId)}>${missionId}</a>`],
    ['Host', host],
    ['When', html`<${Time} at=${patch.createdAt} />`],
    ['Builds on', buildsOn.length === 0 ? null : html`<${Links} ids=${buildsOn} />`],
    ['Applied', applied && html`${mono(short(applied.commit))} <${Time} at=${applied.at} />`],
    ['Undone', undone && html`${mono(short(undone.commit))} <${Time} at=${undone.at} />`],
  ].filter(([, value]) => value !== null && value !== undefined);
}

function Links({ ids }) {
  return html`<span class="chips right"
    >${ids.map((id) => html`<a key=${id} class="mono" href=${toAddress(`/patches/${encodeURIComponent(id)}`)}>${id}</a>`)}</span
  >`;
}

/** Why it did not fit when a person last tried. */
function Conflict({ paths, why, at }) {
  return html`<${Card} title="Conflict">
    <p>
      ${why} <span class="soft"><${Time} at=${at} /></span>
    </p>
    <ul class="paths mono">
      ${paths.map((path) => html`<li key=${path}>${path}</li>`)}
    </ul>
  <//>`;
}

/** What the task's tree held and the patch does not. */
function LeftOut({ of: paths, total }) {
  const rows = paths.map(({ path, why }) => ({ key: path, cells: [path, why] }));
  return html`<${Card} title="Not in the patch">
    <${Table} class="stack" columns=${LEFT_OUT} rows=${rows} />
    ${total > paths.length && html`<p class="soft">${count(total - paths.length)} more are not named here.</p>`}
  <//>`;
}

export function short(commit) {
  return commit.slice(0, 10);
}
