/** A text of at most so many units is searched for by the engine: its worst case is their product. */
const SHORT = 64;

/**
 * Finds a text in another, in linear time for any two texts: the engine's own search takes the product of the lengths for texts
 * that repeat themselves, which is minutes. Places do not overlap. By Knuth, Morris and Pratt.
 * @param wanted not empty
 * @returns where it begins, in order, at most `most` places
 */
export function findAll(text: string, wanted: string, most: number): number[] {
  return wanted.length <= SHORT ? findShort(text, wanted, most) : findLong(text, wanted, most);
}

function findShort(text: string, wanted: string, most: number): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(wanted); at >= 0 && places.length < most; at = text.indexOf(wanted, at + wanted.length)) {
    places.push(at);
  }
  return places;
}

function findLong(text: string, wanted: string, most: number): number[] {
  const [head, places]: [string, number[]] = [wanted.slice(0, SHORT), []];
  let borders: Int32Array | null = null; // most texts are told apart by their head
  let length = 0; // units of `wanted` that end at `at`
  for (let at = text.indexOf(head); at >= 0 && at < text.length && places.length < most; at += 1) {
    borders ??= toBorders(wanted);
    const unit = text.charCodeAt(at);
    while (length > 0 && unit !== wanted.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (unit === wanted.charCodeAt(length)) length += 1;
    if (length < wanted.length) continue;
    places.push(at + 1 - length);
    length = 0;
  }
  return places;
}

/** For each beginning of a text: the length of the longest part that it begins and ends with. */
function toBorders(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  let length = 0;
  for (let at = 1; at < text.length; at += 1) {
    while (length > 0 && text.charCodeAt(at) !== text.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (text.charCodeAt(at) === text.charCodeAt(length)) length += 1;
    borders[at] = length;
  }
  return borders;
}
