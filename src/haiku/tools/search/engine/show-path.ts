/**
 * A path in the output of a tool. It is shown as it is, unless that would look like something else (a line break, a note in
 * brackets, `name:12:text`): then as a JSON string.
 */
export function showPath(path: string): string {
  return /[\p{Cc}\u2028\u2029]|^[\s"[]|\s$|:\d+:|-\d+-/u.test(path) ? JSON.stringify(path) : path;
}

/** The text of a name; null: it is not UTF-8, so that no tool can open it. */
export function toName(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return text.includes('\uFFFD') && !Buffer.from(text).equals(bytes) ? null : text;
}

/** A name that is not UTF-8, each foreign byte as `\xNN`, between quotes. */
export function showBytes(bytes: Buffer): string {
  let shown = '';
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find(
      (size) => toName(bytes.subarray(at, at + size)) !== null && at + size <= bytes.length,
    );
    shown +=
      length === undefined ? String.raw`\x${(bytes[at] ?? 0).toString(16)}` : bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return `"${shown.replaceAll(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1))}"`;
}
