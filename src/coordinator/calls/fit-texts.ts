/** Texts cut so that all fit together. */
export interface FittedTexts {
  texts: string[];
  cutCount: number;
  /** UTF-8 bytes that were cut off. */
  leftBytes: number;
}

/**
 * Cuts the longest texts to one common length, so that all texts together have at most `mostBytes`. Shorter texts stay
 * whole.
 * @param mostBytes UTF-8
 */
export function fitTexts(texts: readonly string[], mostBytes: number): FittedTexts {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= mostBytes) return { texts: [...texts], cutCount: 0, leftBytes: 0 };
  const most = commonLength(sizes, mostBytes);
  let cutCount = 0;
  let leftBytes = 0;
  const fitted = texts.map((text, i) => {
    const size = sizes[i] ?? 0;
    if (size <= most) return text;
    const kept = cutToBytes(text, most);
    cutCount += 1;
    leftBytes += size - Buffer.byteLength(kept);
    return kept;
  });
  return { texts: fitted, cutCount, leftBytes };
}

/** Largest common length such that all texts, cut to it, fit in `mostBytes`. */
function commonLength(sizes: readonly number[], mostBytes: number): number {
  let left = mostBytes;
  const sorted = [...sizes].sort((a, b) => a - b);
  for (const [i, size] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - i));
    if (size > share) return Math.max(0, share);
    left -= size;
  }
  return sorted.at(-1) ?? 0;
}

/** The beginning of a text, cut between two characters. */
function cutToBytes(text: string, bytes: number): string {
  const all = Buffer.from(text);
  let end = Math.min(bytes, all.length);
  while (end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end -= 1; // a byte 10xxxxxx belongs to the character before it
  return all.subarray(0, end).toString();
}
