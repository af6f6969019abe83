import type { Finding } from './finding.ts';

/** A finding as read: only its id is certain, everything else may be missing in what older programs stored. */
export type StoredFinding = Partial<Finding> &
  Pick<Finding, 'finding_id' | 'at' | 'citations' | 'files_changed' | 'topics'> & {
    /** Of a condensed finding (`status: "condensed"`): the finding that sums it up. */
    summary_id?: string;
    /** Of a summary: every session its findings are of. */
    sessions?: string[];
  };

/** Reads what is stored under `finding:<id>`. The id is the key's suffix; a missing time sorts oldest. Null: not JSON. */
export function parseFinding(id: string, text: string): StoredFinding | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // unreadable entries are skipped, never fatal
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const raw: Record<string, unknown> = { ...value };
  const content = raw['content'];
  return {
    ...(withoutStrangers(raw) as Partial<Finding>),
    ...(raw['result'] === undefined && typeof content === 'string' ? { result: content } : {}),
    finding_id: id,
    at: isInstant(raw['at']) ? raw['at'] : toInstant(raw['timestamp']),
    citations: toStrings(raw['citations']),
    files_changed: toStrings(raw['files_changed']),
    topics: toStrings(raw['topics']),
  };
}

const TYPES: Record<string, readonly string[]> = {
  string: [
    'worker_id',
    'timestamp',
    'task',
    'summary',
    'session',
    'job_id',
    'model',
    'vendor',
    'prompt_version',
    'kind',
    'status',
    'batch',
    'mission_id',
    'summary_id',
  ],
  number: ['tokens_used', 'cost', 'recovered'],
};
const NULLABLE = new Set(['batch', 'mission_id']);

/** Anybody may have written it: a known field that is not of its type counts as missing, so that no reader stumbles. */
function withoutStrangers(raw: Record<string, unknown>): Record<string, unknown> {
  const kept = { ...raw };
  for (const [type, names] of Object.entries(TYPES)) {
    for (const name of names) {
      if (!(name in kept) || typeof kept[name] === type || (kept[name] === null && NULLABLE.has(name))) continue;
      delete kept[name];
    }
  }
  if (!Array.isArray(kept['changes'])) delete kept['changes'];
  if (kept['sessions'] !== undefined) kept['sessions'] = toStrings(kept['sessions']);
  if (typeof kept['usage'] !== 'object' || kept['usage'] === null) delete kept['usage'];
  return kept;
}

/** The first 200 characters a person would want. */
export function toSummary(finding: StoredFinding): string {
  return finding.summary ?? summarise(finding.result ?? finding.task ?? '');
}

/** The first 200 characters of a result, on one line; a `summary` property of a structured result wins. */
export function summarise(result: unknown): string {
  const text =
    typeof result === 'string'
      ? result
      : typeof result === 'object' && result !== null && 'summary' in result && typeof result.summary === 'string'
        ? result.summary
        : (JSON.stringify(result) ?? '');
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}

function isInstant(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function toInstant(timestamp: unknown): string {
  if (typeof timestamp !== 'string') return new Date(0).toISOString();
  const date = new Date(timestamp); // without a zone: local time, as the old programs meant it
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

function toStrings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** What a stored finding counts for in `context:active`: the same when it comes and when it goes. */
export function toStoredTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
