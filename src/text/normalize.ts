/** Runs of marks that follow a letter; the last two become such marks in NFKC. */
const MARKS = /[\p{M}\uFF9E\uFF9F]+/gu;
/** No language has more in a row. UTF-16 code units. */
const MOST_MARKS = 64;

/**
 * Normalises a text in linear time. `String.normalize` takes the square of a run of combining marks: minutes for a few hundred
 * kilobytes of them, which any file, finding or model can hold. A run of more than 64 is taken in parts.
 */
export function normalize(text: string, form: 'NFC' | 'NFD' | 'NFKC'): string {
  const parts: string[] = [];
  let from = 0;
  for (const { 0: run, index } of text.matchAll(MARKS)) {
    for (let at = index + MOST_MARKS; at < index + run.length; at += MOST_MARKS) {
      const end = isSecondHalf(text.charCodeAt(at)) ? at + 1 : at;
      parts.push(text.slice(from, end).normalize(form));
      from = end;
    }
  }
  return parts.join('') + text.slice(from).normalize(form);
}

function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
