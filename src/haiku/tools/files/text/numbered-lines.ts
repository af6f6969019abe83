const NUMBERED = /^[ \d]{5}\d\t|^\d{7,}\t/;

/** A line as `read` shows it: like `cat -n`. */
export function toNumberedLine(number: number, text: string): string {
  return `${String(number).padStart(6)}\t${text}`;
}

/** Whether every line that is not empty begins with a number as `read` shows it. */
export function isNumbered(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => NUMBERED.test(line));
}

/** Removes the numbers that `read` shows. */
export function withoutNumbers(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(NUMBERED, ''))
    .join('\n');
}
