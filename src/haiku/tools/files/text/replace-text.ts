import { findAll } from './find-all.ts';
import { endNear, isCrOnly, toLf, withEndsOf } from './line-ends.ts';

/** Most places that one edit replaces. */
export const MOST_PLACES = 200_000;

const MARK = '\uFEFF';

/** Where a text was found: offsets in the whole text. */
export interface Place {
  start: number;
  end: number;
}

export interface Replacement {
  old: string;
  fresh: string;
}

/**
 * Finds the places of `old`. A line end of `old` matches both kinds; an `old` with CRLF is looked for as it is first. A
 * byte order mark is part of the text only for an `old` that names it.
 * @returns in order, at most one more than `MOST_PLACES`
 */
export function findPlaces(text: string, { old, fresh }: Replacement): Place[] {
  const exact = isExact({ old, fresh }) || old.includes('\r') ? findPlacesOf(text, old) : [];
  if (exact.length > 0 || isExact({ old, fresh })) return exact;
  if (isCrOnly(text)) return findPlacesOf(text, toLf(old).replaceAll('\n', '\r'));
  const places = findPlacesOf(toLf(text), toLf(old));
  return text.includes('\r\n') ? toPlacesBefore(text, places) : places;
}

/** Whether the texts differ in line ends only, or name a lone carriage return: they mean exactly what they are. */
function isExact({ old, fresh }: Replacement): boolean {
  return toLf(old) === toLf(fresh) || /\r(?!\n)/.test(old);
}

/**
 * Replaces these places. The new text gets the line ends of the place that it fills, where the model did not change them
 * deliberately.
 */
export function replacePlaces(text: string, places: readonly Place[], replacement: Replacement): string {
  const parts: string[] = [];
  let last = 0;
  for (const { start, end } of places) {
    parts.push(text.slice(last, start), toFilling(text, { start, end }, replacement));
    last = end;
  }
  parts.push(text.slice(last));
  const result = parts.join('');
  return result.startsWith(MARK + MARK) ? result.slice(1) : result;
}

function toFilling(text: string, { start, end }: Place, replacement: Replacement): string {
  const { fresh } = replacement;
  if (!fresh.includes('\n') || isExact(replacement)) return fresh;
  const near = endNear(text, end);
  return near === null ? fresh : withEndsOf(text.slice(start, end), fresh, near);
}

function findPlacesOf(text: string, wanted: string): Place[] {
  return findAll(text, wanted, MOST_PLACES + 1).map((start) => ({ start, end: start + wanted.length }));
}

/** Moves places of `toLf(text)` to the text itself. A line feed stands for the whole CRLF. */
function toPlacesBefore(text: string, places: readonly Place[]): Place[] {
  let removed = 0; // carriage returns before the next CRLF
  let next = text.indexOf('\r\n');
  const move = (at: number): number => {
    while (next >= 0 && next - removed < at) {
      removed += 1;
      next = text.indexOf('\r\n', next + 2);
    }
    return at + removed;
  };
  return places.map(({ start, end }) => ({ start: move(start), end: move(end) }));
}
