import type { ArchiveFilter } from '../../../queues/archive.ts';
import type { ArchiveEntry } from './entry.ts';

/** Words of a question that are looked for. */
const MAX_WORDS = 24;
/** Words that say nothing about what is asked. */
const EMPTY_WORDS = new Set(
  'the and for are was were what which who how why when where does did has have had that this with from into about there their they them been can could would should will any all not you your our its'.split(
    ' ',
  ),
);

/** Whether a finding is among those a question is asked about. */
export function fitsFilter(entry: ArchiveEntry, filter: ArchiveFilter): boolean {
  return (
    (filter.session === undefined || entry.sessions.includes(filter.session)) &&
    (filter.mission_id === undefined || entry.mission === filter.mission_id) &&
    (filter.batch === undefined || entry.batch === filter.batch) &&
    (filter.topic === undefined || entry.topics.includes(filter.topic)) &&
    (filter.since === undefined || entry.at >= Date.parse(filter.since))
  );
}

/**
 * Chooses what is shown when not everything fits: first the findings that share words with the question, those with the
 * most and rarest words before the others, then the newest. The chosen ones keep their order, oldest first.
 * @param maxBytes UTF-8 bytes of all chosen blocks together
 */
export function chooseEntries(
  entries: readonly ArchiveEntry[],
  options: { question: string; maxBytes: number },
): ArchiveEntry[] {
  const scores = scoreEntries(entries, toWords(options.question));
  const byWorth = entries.map((_, at) => at).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || b - a);
  const chosen: number[] = [];
  let left = options.maxBytes;
  for (const at of byWorth) {
    const bytes = entries[at]?.bytes ?? 0;
    if (bytes > left) continue; // a smaller one may still fit
    left -= bytes;
    chosen.push(at);
  }
  return chosen.sort((a, b) => a - b).flatMap((at) => entries[at] ?? []);
}

/** @returns for each entry the sum of its words' rarity; 0 where it shares none, or its text is not in memory */
function scoreEntries(entries: readonly ArchiveEntry[], words: string[]): Float64Array {
  const scores = new Float64Array(entries.length);
  if (words.length === 0) return scores;
  const pattern = new RegExp(words.map(escapePattern).join('|'), 'gi');
  const found = entries.map((entry) => findWords(entry.block, pattern, words.length));
  const frequency = new Map<string, number>();
  for (const own of found) for (const word of own) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  for (const [at, own] of found.entries()) {
    for (const word of own) scores[at] = (scores[at] ?? 0) + Math.log(1 + entries.length / (frequency.get(word) ?? 1));
  }
  return scores;
}

const NOTHING: ReadonlySet<string> = new Set();

function findWords(block: string | null, pattern: RegExp, wordCount: number): ReadonlySet<string> {
  if (block === null) return NOTHING;
  let own: Set<string> | null = null;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(block); match !== null; match = pattern.exec(block)) {
    own ??= new Set();
    own.add(match[0].toLowerCase());
    if (own.size === wordCount) break;
  }
  return own ?? NOTHING;
}

function toWords(question: string): string[] {
  const words = question.toLowerCase().match(/[\p{L}\p{N}_.-]{3,}/gu) ?? [];
  const plain = words.map((word) => word.replaceAll(/^[.-]+|[.-]+$/g, ''));
  const telling = plain.filter((word) => word.length >= 3 && !EMPTY_WORDS.has(word));
  // The longest first: of two words that begin alike the longer one is found where both are.
  return [...new Set(telling)].sort((a, b) => b.length - a.length).slice(0, MAX_WORDS);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
