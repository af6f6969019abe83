/** One day of the provider's quota. */
export interface QuotaDay {
  /** `2026-11-21`. */
  name: string;
  /** ms since 1970. */
  startsAtMs: number;
  /** The first instant of the next day, ms since 1970. */
  endsAtMs: number;
}

/** Returns the day that an instant, ms since 1970, belongs to. */
export type DayClock = (atMs: number) => QuotaDay;

const HOUR_MS = 3_600_000;

/** Created at its first use: it loads the locale data of Node, 8 MB of memory, and most processes never ask for a day. */
let pacific: Intl.DateTimeFormat | undefined;

/**
 * Gemini's requests a day reset at midnight Pacific time (https://ai.google.dev/gemini-api/docs/rate-limits): a day
 * of 23 hours in March, of 25 in November.
 */
export function pacificDay(atMs: number): QuotaDay {
  const { name, sinceMidnightMs } = wallClock(atMs);
  // After a clock change, the hours since midnight are one more or one less than the wall clock shows.
  const startsAtMs = midnightNear(atMs - sinceMidnightMs, name);
  return { name, startsAtMs, endsAtMs: midnightNear(startsAtMs + 24 * HOUR_MS, nextName(name)) };
}

/**
 * The instant at which the day of this name begins. `guessMs` is at most an hour off: clocks change at 2:00, never at
 * midnight.
 */
function midnightNear(guessMs: number, name: string): number {
  for (const shiftMs of [0, HOUR_MS, -HOUR_MS]) {
    const shown = wallClock(guessMs + shiftMs);
    if (shown.name === name && shown.sinceMidnightMs === 0) return guessMs + shiftMs;
  }
  throw new RangeError(`${name}: no midnight near ${new Date(guessMs).toISOString()}`);
}

function wallClock(atMs: number): { name: string; sinceMidnightMs: number } {
  pacific ??= createPacificFormat();
  const parts = Object.fromEntries(pacific.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const seconds = Number(parts['hour']) * 3_600 + Number(parts['minute']) * 60 + Number(parts['second']);
  const milliseconds = ((atMs % 1_000) + 1_000) % 1_000; // the zone's offset is whole seconds
  return {
    name: `${parts['year']}-${parts['month']}-${parts['day']}`,
    sinceMidnightMs: seconds * 1_000 + milliseconds,
  };
}

function createPacificFormat(): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-CA', {
    timeZone: 'America/Los_Angeles',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
}

function nextName(name: string): string {
  return new Date(Date.parse(`${name}T12:00:00Z`) + 24 * HOUR_MS).toISOString().slice(0, 10);
}
