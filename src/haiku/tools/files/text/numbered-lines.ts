/** A number as `read` shows it, up to 99999: padded, so that a table that begins with numbers is not taken for it. */
const PADDED = /^(?: {5}\d| {4}\d{2}| {3}\d{3}| {2}\d{4}| \d{5})\t/m;

/** A line as `read` shows it: like `cat -n`. */
export function toNumberedLine(number: number, text: string): string {
  return `${String(number).padStart(6)}\t${text}`;
}

/** Whether every line that is not empty begins with a number as `read` shows it. */
export function isNumbered(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => PADDED.test(line));
}

/** Whether a line begins with a number as `read` shows it: in a file, that is text of its own. */
export function hasNumbers(text: string): boolean {
  return PADDED.test(text);
}

/** Removes the numbers that `read` shows. */
export function withoutNumbers(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(PADDED, ''))
    .join('\n');
}
