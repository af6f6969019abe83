/** The first `most` UTF-16 code units of a text, one less where the cut would fall inside a character: no half of one is left. */
export function startOf(text: string, most: number): string {
  const start = text.slice(0, most);
  return start.length < text.length && isHighSurrogate(start.charCodeAt(most - 1)) ? start.slice(0, -1) : start;
}

/** The last `most` UTF-16 code units of a text, one less where the cut would fall inside a character. */
export function endOf(text: string, most: number): string {
  const end = text.slice(Math.max(0, text.length - most));
  return end.length < text.length && isHighSurrogate(text.charCodeAt(text.length - end.length - 1))
    ? end.slice(1)
    : end;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
