/** Texts cut so that all fit, and how many were cut. */
export interface FittedTexts {
  texts: string[];
  cutCount: number;
  /** UTF-8 bytes that were left out. */
  leftBytes: number;
}

/**
 * Cuts the longest texts to one common length, so that all together have at most so many bytes: short ones stay whole.
 * @param mostBytes UTF-8
 */
export function fitTexts(texts: readonly string[], mostBytes: number): FittedTexts {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= mostBytes) return { texts: [...texts], cutCount: 0, leftBytes: 0 };
  const most = commonLength(sizes, mostBytes);
  let cutCount = 0;
  let leftBytes = 0;
  const fitted = texts.map((text, at) => {
    if ((sizes[at] ?? 0) <= most) return text;
    const kept = cutToBytes(text, most);
    cutCount += 1;
    leftBytes += (sizes[at] ?? 0) - Buffer.byteLength(kept);
    return kept;
  });
  return { texts: fitted, cutCount, leftBytes };
}

/** Where the water stands when so much of it is poured over all: what is shorter is under it. */
function commonLength(sizes: readonly number[], mostBytes: number): number {
  let left = mostBytes;
  const sorted = [...sizes].sort((a, b) => a - b);
  for (const [at, size] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - at));
    if (size > share) return Math.max(0, share);
    left -= size;
  }
  return sorted.at(-1) ?? 0;
}

/** The beginning of a text, no letter cut in two. */
function cutToBytes(text: string, bytes: number): string {
  const all = Buffer.from(text);
  let end = Math.min(bytes, all.length);
  while (end > 0 && ((all[end] ?? 0) & 0xc0) === 0x80) end -= 1; // a byte 10xxxxxx belongs to the letter before it
  return all.subarray(0, end).toString();
}
