const ESCAPES: Record<string, string> = { a: '\u0007', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' };

/** Reads a path as git prints it: in double quotes, with the escapes of C, where it holds unusual bytes. */
export function unquotePath(text: string): string {
  if (!/^".*"$/s.test(text)) return text;
  const bytes = text.slice(1, -1).replaceAll(/\\([0-3][0-7]{2}|.)|[^\\]+/gs, (whole, escape?: string) => {
    if (escape === undefined) return Buffer.from(whole, 'utf8').toString('latin1');
    return escape.length === 3 ? String.fromCodePoint(Number.parseInt(escape, 8)) : (ESCAPES[escape] ?? escape);
  });
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
