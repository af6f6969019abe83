import { SHARD_TEST_KIND, SURVEY_KIND } from '../../findings/finding.ts';
import { toNotes } from '../../findings/marks.ts';
import { isCondensed } from '../../findings/condensed.ts';
import { parseFinding } from '../../findings/stored.ts';
import type { StoredFinding } from '../../findings/types.ts';
import { QUERY_PREFIX } from '../../../queues/ids.ts';
import { fromOther } from '../../other-swarms/across.ts';
import type { OtherSwarm } from '../../other-swarms/types.ts';
import { startOf } from '../../text/start-of.ts';
import { stringifyExact } from '../../text/exact-json.ts';
import { toAttribute } from './attribute.ts';

/** One finding as a librarian holds it. */
export interface ArchiveEntry {
  id: string;
  /** ms since 1970; 0 where the finding has no instant. */
  at: number;
  /** The finding's session, if it has one; of a summary, the sessions of all findings that it replaces. */
  sessions: readonly string[];
  mission: string | null;
  batch: string | null;
  /** The memory shard that it belongs to; null: none. */
  shard: string | null;
  topics: readonly string[];
  /** The vendors that may be sent it; undefined: all. */
  vendors: readonly string[] | undefined;
  /** Of a summary: the findings that it replaces. They are not shown themselves, and an answer may cite them. */
  sources: readonly string[];
  /** The text that the model is shown; null: not held in memory, it is read again when the entry is chosen. */
  block: string | null;
  /** UTF-8 bytes of the block. */
  bytes: number;
}

/** The other swarm that findings come from. */
export type EntrySource = Pick<OtherSwarm, 'name' | 'isSimulated'>;

/** Longest text of one finding that is shown, UTF-16 code units, so that one finding cannot fill the prompt. */
const MAX_TEXT = 100_000;
/** The same of a list of files: every mission with a workspace stores one. */
const MAX_SURVEY_TEXT = 8_000;

/**
 * Makes an entry from the text stored under `finding:<id>`.
 * @param source of another swarm's finding: its ids are shown as this swarm cites them
 * @returns null for what is not evidence: unreadable, retracted, condensed, a librarian's own answer, or a shard test
 */
export function toArchiveEntry(id: string, text: string, source?: EntrySource): ArchiveEntry | null {
  if (id.startsWith(QUERY_PREFIX)) return null;
  const stored = parseFinding(id, text);
  const finding = stored === null || source === undefined ? stored : fromOther(source, stored);
  if (finding === null || finding.status === 'retracted' || isCondensed(finding)) return null;
  if (finding.kind === SHARD_TEST_KIND) return null;
  const block = toBlock(finding, source);
  const at = Date.parse(finding.at);
  return {
    id: finding.finding_id,
    at: Number.isNaN(at) ? 0 : at,
    sessions: toSessions(finding),
    mission: toName(finding.mission_id),
    batch: toName(finding.batch),
    shard: toName(finding.shard),
    topics: finding.topics,
    vendors: finding.vendors,
    sources: finding.kind === 'summary' ? finding.citations : [],
    block,
    bytes: Buffer.byteLength(block),
  };
}

function toSessions({ sessions = [], session }: StoredFinding): string[] {
  if (sessions.length > 0) return sessions;
  const name = toName(session);
  return name === null ? [] : [name];
}

/** Escapes the prompt's own tags, so that the text of a finding or question cannot open or close them. */
export function escapeTags(text: string): string {
  return text.includes('<') ? text.replaceAll(/<(?=\/?(?:finding|question|document)\b)/gi, '&lt;') : text;
}

function toBlock(finding: StoredFinding, source: EntrySource | undefined): string {
  const { files_changed: files, topics, citations } = finding;
  const task = addLine(asText(finding.task), toNotes(finding)); // before a result that is cut
  let lines = addLine(task, asText(finding.result));
  if (files.length > 0) lines = addLine(lines, `Files changed: ${files.join(', ')}`);
  if (topics.length > 0) lines = addLine(lines, `Topics: ${topics.join(', ')}`);
  if (citations.length > 0) lines = addLine(lines, `Based on: ${citations.join(', ')}`);
  const text = escapeTags(lines);
  const most = finding.kind === SURVEY_KIND ? MAX_SURVEY_TEXT : MAX_TEXT;
  const shown = text.length <= most ? text : `${startOf(text, most)}\n(cut: ${text.length - most} more characters)`;
  const { finding_id: id, at } = finding;
  const from = source === undefined ? '' : ` swarm="${source.name}"${source.isSimulated ? ' simulated="yes"' : ''}`;
  return `<finding id="${toAttribute(id)}" at="${toAttribute(at)}" session="${toAttribute(toName(finding.session) ?? '')}"${from}>\n${shown}\n</finding>\n`;
}

function addLine(lines: string, line: string): string {
  return lines === '' || line === '' ? lines + line : `${lines}\n${line}`;
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : stringifyExact(value);
}

/** Null for anything but a non-empty string: other programs store findings too. */
function toName(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
