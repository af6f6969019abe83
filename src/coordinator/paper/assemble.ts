import type { StoredFinding } from '../../findings/types.ts';
import { toSummary } from '../../findings/stored.ts';
import { toOneLine } from '../../text/one-line.ts';
import type { Draft, ShardReport } from './types.ts';

export interface PaperParts {
  title: string;
  missionId: string;
  session: string;
  /** Model of the writer. */
  model: string;
  /** Model of the librarian. */
  archiveModel: string;
  /** The shard test. Null: no section was written from a librarian's answer. */
  shards: ShardReport | null;
  drafts: readonly Draft[];
  /** The findings that the drafts cite, in the order of their first citation. Null: the finding no longer exists. */
  sources: readonly { id: string; finding: StoredFinding | null }[];
  writtenAt: Date;
}

/** Builds the whole paper as Markdown: title, how it was made, sections, list of sources. */
export function assemblePaper(parts: PaperParts): string {
  const { title, drafts, sources } = parts;
  return [
    `# ${toOneLine(title, Infinity)}`,
    toHeader(parts).join('\n'),
    ...drafts.map((draft) => `## ${toOneLine(draft.title, Infinity)}\n\n${draft.text.trim()}`),
    '## Sources',
    sources.length === 0 ? 'None.' : sources.map(toSource).join('\n'),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function toHeader(parts: PaperParts): string[] {
  const { writtenAt, session, missionId, model, archiveModel, drafts } = parts;
  const byId = drafts.flatMap(({ kind }, index) => (kind === 'by-id' ? [index + 1] : []));
  const asked = drafts.some(({ kind }) => kind === 'archive');
  return [
    `- Date: ${writtenAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `- Session: ${session}`,
    `- Mission: ${missionId}`,
    `- Model: ${model}${asked ? `; archive: ${archiveModel}` : ''}`,
    ...(parts.shards === null ? [] : [`- Shards: ${describeShards(parts.shards)}`]),
    ...(byId.length === 0
      ? []
      : [
          byId.length === drafts.length
            ? '- Written without Gemini from findings read by id'
            : `- Written without Gemini from findings read by id: section${byId.length === 1 ? '' : 's'} ${byId.join(', ')}`,
        ]),
  ];
}

/** The shards as the paper's header names them: `S1, S2, S4 (without S3: key refused)`. */
function describeShards({ shards }: ShardReport): string {
  const used = shards.filter(({ ok }) => ok).map(({ shard }) => `S${shard}`);
  const failing = shards
    .filter(({ ok }) => !ok)
    .map(({ shard, problem }) => `S${shard}: ${toOneLine(problem ?? 'no answer', Infinity)}`);
  const without = failing.length === 0 ? '' : ` (without ${failing.join('; ')})`;
  return `${used.length === 0 ? 'none' : used.join(', ')}${without}`;
}

/** A shard test in one line: `4 of 5 shards work; S3: API key not valid`. */
export function describeReport({ shards }: ShardReport): string {
  if (shards.length === 0) return 'no shard is configured (GEMINI_API_KEY_SHARD1)';
  const failing = shards.filter(({ ok }) => !ok).map(({ shard, problem }) => `S${shard}: ${problem ?? 'no answer'}`);
  const working = `${shards.length - failing.length} of ${shards.length} shards work`;
  return [working, ...failing].join('; ');
}

/** One line of the list of sources: id, date, session, first line. */
function toSource({ id, finding }: { id: string; finding: StoredFinding | null }): string {
  if (finding === null) return `- [${id}] (no longer there)`;
  const date = finding.at.slice(0, 16).replace('T', ' ');
  const mark = finding.status === 'retracted' ? 'RETRACTED: ' : '';
  return `- [${id}] ${date}, ${finding.session ?? '–'}: ${mark}${toOneLine(toSummary(finding), Infinity)}`;
}
