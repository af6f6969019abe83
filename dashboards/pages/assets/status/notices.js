import { Card, Table } from '../elements.js';
import { html } from '../html.js';
import { COMMAND_KINDS } from './commands.js';

/** Kinds of notices that another card shows in full. */
const SHOWN_ELSEWHERE = [
  'failed',
  'cancelled',
  'parked',
  'clients',
  'paused',
  'budget',
  'external',
  'patches',
  'uncertain',
  ...COMMAND_KINDS,
];

export function Notices({ notices }) {
  const shown = notices.filter(({ kind }) => !SHOWN_ELSEWHERE.includes(kind));
  if (shown.length === 0) return null;
  const rows = shown.flatMap(({ label, level, items, ...notice }) =>
    (items ?? [notice]).map(({ text, command, hint }) => ({
      key: `${label} ${command ?? ''}`,
      cells: [
        html`<span class=${level === 'warning' ? 'warntext' : 'soft'}>${label}</span>`,
        text,
        command ? html`<code>${command}</code>` : html`<span class="soft">${hint ?? ''}</span>`,
      ],
    })),
  );
  const columns = { About: 'tight', Notice: 'text', 'What helps': '' };
  return html`<${Card} title="Notices"><${Table} class="stack" columns=${columns} rows=${rows} head=${false} /><//>`;
}
