import { SHARD_TEST_KIND } from '../findings/finding.ts';
import { foldText } from '../findings/search-terms.ts';
import { toSearchedText } from '../findings/search.ts';
import type { StoredFinding } from '../findings/types.ts';
import type { RuleMatch } from './types.ts';

/** They restate what other findings hold, or report a check: only a rule that names the kind is about them. */
const NAMED_ONLY: ReadonlySet<string> = new Set(['assist', 'summary', SHARD_TEST_KIND]);
/** A finding of this status was withdrawn. */
const RETRACTED = 'retracted';

/** Whether a finding fits a rule. One that was retracted, or answers a question to the archive, fits none. */
export function isMatch(match: RuleMatch, finding: StoredFinding): boolean {
  const { topic, kind, session, mission, grep, from } = match;
  if (finding.status === RETRACTED) return false;
  if (kind === undefined ? NAMED_ONLY.has(finding.kind ?? '') : (finding.kind ?? 'other') !== kind) return false;
  if (topic !== undefined && !finding.topics.includes(topic)) return false;
  if (session !== undefined && finding.session !== session) return false;
  if (mission !== undefined && finding.mission_id !== mission) return false;
  if (from !== undefined && !isFrom(from, finding.worker_id ?? '')) return false;
  return grep === undefined || foldText(toSearchedText(finding)).includes(foldText(grep));
}

function isFrom(wanted: string, workerId: string): boolean {
  return wanted.endsWith('*') ? workerId.startsWith(wanted.slice(0, -1)) : workerId === wanted;
}

/** What an entry of the event stream says of its finding. */
interface EventFacts {
  session: string;
  topics: string;
}

/** Whether the finding of an event can fit: without reading it, so that a busy fleet costs little. */
export function mayMatch({ topic, session }: RuleMatch, facts: EventFacts): boolean {
  if (session !== undefined && facts.session !== '' && facts.session !== session) return false;
  // A topic may hold a comma, and another program's finding any text.
  return topic === undefined || facts.topics.includes(topic);
}
