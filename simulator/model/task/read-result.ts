/** A result of the `read` tool, or a file that came with the task. */
export interface ReadResult {
  /** The lines as they are in the file. Between the parts of a line that was shown in parts there is no line break. */
  text: string;
  /** Lines of the text. */
  lines: number;
  /** The call that goes on; null: the file ends here. */
  next: { view_range: [number, number]; from_character?: number } | null;
  /** Whether the text ends inside of a line. */
  isCutInLine: boolean;
}

const LINE = /^ {0,5}\d+\t/;
const NOTE = /^\[.*\]$/;
const GO_ON = /go on with view_range \[(\d+), (-?\d+)\](?: and from_character (\d+))?\]$/;

/** Parses numbered lines and the notes below them. Null: the text has no line numbers, as in results of earlier versions. */
export function parseReadResult(content: string): ReadResult | null {
  if (content.startsWith('[the file is empty]')) {
    return { text: '', lines: 0, next: null, isCutInLine: false };
  }
  const all = content.split('\n');
  const firstNote = all.findIndex((line) => !LINE.test(line));
  const shown = firstNote < 0 ? all : all.slice(0, firstNote);
  const notes = firstNote < 0 ? [] : all.slice(firstNote);
  if (shown.length === 0 || !notes.every((note) => NOTE.test(note))) return null;
  const goOn = notes.map((note) => GO_ON.exec(note)).find((match) => match !== null);
  const isCutInLine = goOn?.[3] !== undefined;
  const isAtEnd = goOn === undefined && notes.includes('[no line end after the last line]');
  return {
    text: shown.map((line) => line.replace(LINE, '')).join('\n') + (isCutInLine || isAtEnd ? '' : '\n'),
    lines: shown.length,
    next: goOn === undefined ? null : toNext(goOn),
    isCutInLine,
  };
}

function toNext([, from, to, character]: RegExpExecArray): ReadResult['next'] {
  const view_range: [number, number] = [Number(from), Number(to)];
  return character === undefined ? { view_range } : { view_range, from_character: Number(character) };
}
