/**
 * Cuts a text for the deltas of a stream. No piece begins within a character.
 * @param size UTF-16 code units of a piece, at least; longer where the text would have more than `most` pieces
 */
export function cutText(text: string, size: number, most: number): string[] {
  const step = Math.max(size, Math.ceil(text.length / most));
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const isWithin = /^[\uDC00-\uDFFF]/.test(text.charAt(start + step)); // the second half of a pair
    const end = start + step + (isWithin ? 1 : 0);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}
