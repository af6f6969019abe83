/** One line of a file in a patch. */
export interface DiffLine {
  /** `@`: the heading of a hunk. `\`: a remark of git's about the line before. */
  sign: ' ' | '+' | '-' | '@' | '\\';
  /** Number of the line before the change. Null: it was not there. */
  old: number | null;
  /** Number of the line after the change. Null: it is not there. */
  new: number | null;
  text: string;
}

/** What a patch does to one file, as a page shows it. */
export interface DiffFile {
  path: string;
  /** `new`, `deleted`, `executable`, and other facts besides the lines. */
  notes: string[];
  isBinary: boolean;
  /** Empty for a binary file. */
  lines: DiffLine[];
  /** Whether it has lines beyond these. */
  isCut: boolean;
}

export interface DiffBounds {
  files: number;
  /** Lines of all files. */
  lines: number;
  /** Lines of one file, so that a long one does not hide the others. */
  linesOfFile: number;
  /** UTF-16 code units. */
  lineLength: number;
}
