import { toAddress } from '../base.js';
import { Card, PatchState, Table, Time } from '../elements.js';
import { count } from '../format.js';
import { html } from '../html.js';

const COLUMNS = { Time: 'tight', Patch: 'text', Changes: 'number', Workspace: 'tight soft', State: 'tight' };

/** The patches that wait for a person, the newest by name. */
export function Patches({ patches: { pending, conflict }, newestPatches }) {
  const waiting = pending + conflict;
  if (waiting === 0) return null;
  const rows = newestPatches.map(({ id, state, workspace, subject, files, added, removed, createdAt }) => ({
    key: id,
    cells: [
      html`<${Time} at=${createdAt} />`,
      html`<a href=${toAddress(`/patches/${encodeURIComponent(id)}`)}>${subject || id}</a>`,
      html`${count(files)} ${files === 1 ? 'file' : 'files'}, <span class="good">+${count(added)}</span> ${' '}<span
          class="bad"
          >−${count(removed)}</span
        >`,
      workspace,
      html`<${PatchState} state=${state} />`,
    ],
  }));
  const counts = [pending > 0 && `${count(pending)} pending`, conflict > 0 && `${count(conflict)} in conflict`];
  return html`<${Card} title=${`Patches: ${counts.filter(Boolean).join(', ')}`}>
    <${Table} class="stack" columns=${COLUMNS} rows=${rows} />
    ${waiting > rows.length && html`<p class="soft">All of them: <code>fleet diff</code></p>`}
  <//>`;
}
