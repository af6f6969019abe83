/** A path in a repository, with `/`, in latin1: each character is one byte. A name need not be UTF-8. */
export type BytePath = string;

/** The path for people. Bytes that are no UTF-8 become replacement marks, control characters `\xNN`. */
export function toShown(path: BytePath): string {
  const text = Buffer.from(path, 'latin1').toString('utf8');
  return text.replaceAll(/\p{Cc}/gu, (sign) => String.raw`\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** The path for the file system. @param folder absolute */
export function toLocation(folder: string, path: BytePath): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, 'latin1')]);
}

/** The folders above a path, the outermost first: `a/b/c` has `a` and `a/b`. */
export function listParents(path: BytePath): BytePath[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

/** Splits the NUL-separated output of git. */
export function splitNul(output: Buffer): string[] {
  return output.toString('latin1').split('\0').slice(0, -1);
}

/** Joins lines or paths for an input of git that is separated by NUL. */
export function joinNul(items: readonly string[]): Buffer {
  return Buffer.from(items.map((item) => `${item}\0`).join(''), 'latin1');
}
