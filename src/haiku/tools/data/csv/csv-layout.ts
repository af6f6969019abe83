/** How the lines of a CSV text are written. */
export interface CsvLayout {
  /** The first line, without what ends it. */
  header: string;
  /** Blank lines before the header. */
  skipped: number;
  /** `\r` only where no line ends with a line feed; else a lone `\r` is part of a cell. */
  lineBreak: '\n' | '\r\n' | '\r';
}

/** Finds the first line that is not blank and what ends lines, both outside quotes. */
export function findLayout(text: string): CsvLayout {
  let [skipped, from] = [0, 0];
  for (let blank = /^\r?\n|^\r/.exec(text); blank !== null; blank = /^\r?\n|^\r/.exec(text.slice(from, from + 2))) {
    from += blank[0].length;
    skipped += 1;
  }
  const breaks = /[^"\r\n]+|"[^"]*"?|\r?\n|\r/g;
  breaks.lastIndex = from;
  let end: number | undefined;
  for (let part = breaks.exec(text); part !== null; part = breaks.exec(text)) {
    const [piece] = part;
    if (piece === '\n' || piece === '\r\n') {
      return { header: text.slice(from, part.index), skipped, lineBreak: piece };
    }
    if (piece === '\r') end ??= part.index;
  }
  return { header: text.slice(from, end), skipped, lineBreak: end === undefined ? '\n' : '\r' };
}

/** The delimiters that are tried where none is given, in this order. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;

/** Those delimiters that a header line holds outside quotes. */
export function findDelimiters(header: string): string[] {
  const plain = header.replaceAll(/"[^"]*"?/g, '');
  return DELIMITERS.filter((delimiter) => plain.includes(delimiter));
}
