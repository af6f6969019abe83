import type { StoredContext } from '../../contexts/types.ts';
import { startOf } from '../../text/start-of.ts';
import { escapeTags } from './entry.ts';
import { chooseEntries } from './ranking.ts';

/** A line from here to there, both included, from 1. */
type LineRange = readonly [from: number, to: number];

/** What a question was shown of a memory context. The stored answer holds it: it names the version, whatever replaces it. */
export interface ShownDocument {
  name: string;
  /** Of the whole text in UTF-8, hexadecimal. */
  sha256: string;
  /** Lines that it has. */
  lines: number;
  /** The lines that were shown, in order. */
  shown: LineRange[];
  /** Count of lines that were left out, those that share least with the question; 0: all fitted. */
  leftOut: number;
}

/** Lines of one passage, which is shown or left out as a whole. */
const PASSAGE_LINES = 40;
/** A longer passage ends before; a longer line is cut into pieces of its own. UTF-16 code units. */
const PASSAGE_LENGTH = 4_000;

interface Passage {
  from: number;
  to: number;
  /** Its lines with their numbers. */
  block: string;
  /** UTF-8 bytes of the block. */
  bytes: number;
}

/**
 * Shows a memory context with numbered lines: whole, or the passages that share most with the question, in their order.
 * @param options.maxBytes UTF-8 bytes of the text
 */
export function showDocument(
  { name, sha256, text }: Pick<StoredContext, 'name' | 'sha256' | 'text'>,
  options: { question: string; maxBytes: number },
): { text: string; bytes: number; document: ShownDocument } {
  const lines = text.replace(/\n$/, '').split(/\r\n|\n|\r/);
  const [open, close] = [`<document name="${name}" lines="${lines.length}">\n`, '</document>\n'];
  const passages = toPassages(lines);
  const maxBytes = options.maxBytes - Buffer.byteLength(open + close) - lines.length.toString().length * 2 - 60;
  const whole = passages.reduce((sum, { bytes }) => sum + bytes, 0);
  // A gap costs a line, too: fewer passages are chosen than would fit without them.
  const chosen =
    whole <= maxBytes ? passages : chooseEntries(passages, { ...options, maxBytes: Math.floor(maxBytes * 0.97) });
  const shown = toRanges(chosen);
  const body = chosen.map(({ from, block }, i) => toGap(chosen[i - 1]?.to ?? 0, from) + block);
  const shownText = open + body.join('') + toGap(chosen.at(-1)?.to ?? 0, lines.length + 1) + close;
  const shownCount = shown.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const document = { name, sha256, lines: lines.length, shown, leftOut: lines.length - shownCount };
  return { text: shownText, bytes: Buffer.byteLength(shownText), document };
}

function toPassages(lines: readonly string[]): Passage[] {
  const passages: Passage[] = [];
  let open: { from: number; to: number; block: string } | null = null;
  const close = (): void => {
    if (open !== null) passages.push({ ...open, bytes: Buffer.byteLength(open.block) });
    open = null;
  };
  for (const [i, line] of lines.entries()) {
    for (const piece of toPieces(line)) {
      const text = `${i + 1}: ${escapeTags(piece)}\n`;
      const isFull =
        open !== null && (i + 1 - open.from >= PASSAGE_LINES || open.block.length + text.length > PASSAGE_LENGTH);
      if (isFull) close();
      open ??= { from: i + 1, to: i + 1, block: '' };
      open = { from: open.from, to: i + 1, block: open.block + text };
    }
  }
  close();
  return passages;
}

function toPieces(line: string): string[] {
  const pieces: string[] = [];
  let rest = line;
  while (rest.length > PASSAGE_LENGTH) {
    const piece = startOf(rest, PASSAGE_LENGTH / 2);
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
  return [...pieces, rest];
}

/** Passages that follow each other are one range. */
function toRanges(passages: readonly Passage[]): LineRange[] {
  const ranges: [number, number][] = [];
  for (const { from, to } of passages) {
    const last = ranges.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges;
}

function toGap(before: number, after: number): string {
  if (after - before <= 1) return '';
  return after - before === 2 ? `[line ${before + 1} left out]\n` : `[lines ${before + 1}-${after - 1} left out]\n`;
}

/** The ids that an answer may cite: findings, and lines that were shown of a document: `context:NAME#12` or `#12-18`. Only `has` knows the lines. */
export class Citable extends Set<string> {
  readonly #document: ShownDocument | null;

  constructor(ids: Iterable<string>, document: ShownDocument | null) {
    super(ids);
    this.#document = document;
  }

  override has(id: string): boolean {
    return super.has(id) || (this.#document !== null && isShown(id, this.#document));
  }
}

function isShown(id: string, { name, shown }: ShownDocument): boolean {
  const prefix = `context:${name}#`;
  const [, first, last = first] =
    /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(id.startsWith(prefix) ? id.slice(prefix.length) : '') ?? [];
  const [from, to] = [Number(first), Number(last)];
  return shown.some((range) => range[0] <= from && from <= to && to <= range[1]);
}
