import type { ArchiveFilter } from '../../../queues/archive.ts';
import { isCommonWord } from '../../text/common-words.ts';
import type { ArchiveEntry } from './entry.ts';

/** Most words of a question that are looked for. */
const MAX_WORDS = 24;

/** Whether the filter of a question lets the finding through. */
export function fitsFilter(entry: ArchiveEntry, filter: ArchiveFilter): boolean {
  return (
    (filter.session === undefined || entry.sessions.includes(filter.session)) &&
    (filter.mission_id === undefined || entry.mission === filter.mission_id) &&
    (filter.batch === undefined || entry.batch === filter.batch) &&
    (filter.topic === undefined || entry.topics.includes(filter.topic)) &&
    (filter.since === undefined || entry.at >= Date.parse(filter.since))
  );
}

/** What can be chosen by its text: a finding, or a passage of a document. */
type Rankable = Pick<ArchiveEntry, 'block' | 'bytes'>;

/**
 * Chooses the findings to show when not all fit. Findings that share words with the question come first, those with the
 * most and rarest words before the others; then the newest. The chosen findings keep their order, oldest first.
 * @param options.maxBytes UTF-8 bytes of all chosen blocks together
 */
export function chooseEntries<Entry extends Rankable>(
  entries: readonly Entry[],
  options: { question: string; maxBytes: number },
): Entry[] {
  const scores = scoreEntries(entries, toWords(options.question));
  const ranked = entries.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || b - a);
  const chosen: number[] = [];
  let bytesLeft = options.maxBytes;
  for (const i of ranked) {
    const bytes = entries[i]?.bytes ?? 0;
    if (bytes > bytesLeft) continue; // a smaller finding may still fit
    bytesLeft -= bytes;
    chosen.push(i);
  }
  return chosen.sort((a, b) => a - b).flatMap((i) => entries[i] ?? []);
}

/** @returns for each entry the sum of the rarity of the words that it contains; 0 if its text is not held in memory */
function scoreEntries(entries: readonly Rankable[], words: string[]): Float64Array {
  const scores = new Float64Array(entries.length);
  if (words.length === 0) return scores;
  const pattern = new RegExp(words.map(escapePattern).join('|'), 'gi');
  const found = entries.map((entry) => findWords(entry.block, pattern, words.length));
  const frequency = new Map<string, number>();
  for (const own of found) for (const word of own) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  for (const [i, own] of found.entries()) {
    for (const word of own) scores[i] = (scores[i] ?? 0) + Math.log(1 + entries.length / (frequency.get(word) ?? 1));
  }
  return scores;
}

const NO_WORDS: ReadonlySet<string> = new Set();

function findWords(block: string | null, pattern: RegExp, wordCount: number): ReadonlySet<string> {
  if (block === null) return NO_WORDS;
  let own: Set<string> | null = null;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(block); match !== null; match = pattern.exec(block)) {
    own ??= new Set();
    own.add(match[0].toLowerCase());
    if (own.size === wordCount) break;
  }
  return own ?? NO_WORDS;
}

function toWords(question: string): string[] {
  const words = question.toLowerCase().match(/[\p{L}\p{N}_.-]{3,}/gu) ?? [];
  const plain = words.map((word) => word.replaceAll(/^[.-]+|[.-]+$/g, ''));
  const rankable = plain.filter((word) => word.length >= 3 && !isCommonWord(word));
  // The longest first: the pattern then finds the longer of two words that begin alike.
  return [...new Set(rankable)].sort((a, b) => b.length - a.length).slice(0, MAX_WORDS);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
