/** Most bytes of one tool result: it is stored with the turn, and sent again with every later call. */
const RESULT_CAP = 64 * 1024;

/** Cuts a text to at most `cap` bytes; a text that was cut ends with a line about it. */
export function cutText(text: string, cap: number = RESULT_CAP): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= cap) return text;
  const note = `\n[cut: ${bytes.length} bytes, at most ${cap} are shown; ask for less at once]`;
  let end = cap - Buffer.byteLength(note);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1; // never inside a character
  return bytes.toString('utf8', 0, end) + note;
}
