import { toOneLine } from '../../text/one-line.ts';

/** Whether a person watches: bars and redrawing are for terminals, programs and files get plain lines. */
export function isTerminal(stream: NodeJS.WriteStream = process.stdout): boolean {
  return stream.isTTY && process.env.TERM !== 'dumb';
}

/** https://no-color.org: set and not empty means none. */
export function wantsColour(): boolean {
  return isTerminal() && (process.env.NO_COLOR ?? '') === '';
}

/** What a program reads: one JSON document, indented for the person who looks all the same. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** One line of any text without control characters, cut to `width`. */
export function toLine(text: string, width: number): string {
  const line = toOneLine(text, Infinity);
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

/** Columns of the terminal; 100 where there is none. */
export function lineWidth(): number {
  return process.stdout.columns ?? 100;
}

/** Keeps line breaks and tabs; what a model wrote must not move the cursor. */
export function withoutControls(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu, ''); // and what turns the direction of the text around
}
