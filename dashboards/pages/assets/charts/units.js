/** How the charts write their values: `axis` beside the lines, with as many digits as the distance of two marks needs; `value` in words. */
export const UNITS = {
  tasks: {
    axis: (value) => compact(value),
    value: (value) => new Intl.NumberFormat('en-US').format(value),
    /** Distances of two marks. Half a task does not end. */
    steps: [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6].flatMap((size) => [size, 2 * size, 5 * size]),
  },
  dollars: {
    axis: (value, step) => `$${value.toFixed(digitsOf(step))}`,
    value: (value) => `$${value.toFixed(4)}`,
  },
  duration: {
    axis: (value) => duration(value),
    value: (value) => duration(value),
    steps: [
      ...[1, 10, 100, 1_000].flatMap((size) => [size, 2 * size, 5 * size]),
      ...[10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800].map((seconds) => seconds * 1_000),
    ],
  },
};

function compact(value) {
  return new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

function digitsOf(step) {
  return step >= 1 ? 0 : Math.min(6, Math.max(2, Math.ceil(-Math.log10(step) - 1e-9)));
}

const LENGTHS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** `2.5 s`: the largest unit alone, with at most one digit after the point. */
export function duration(ms) {
  if (ms === 0) return '0 s';
  const [length, unit] = LENGTHS.find(([size]) => ms >= size) ?? [1, 'ms'];
  const amount = ms / length;
  return `${Number(amount.toFixed(amount < 10 && unit !== 'ms' ? 1 : 0))} ${unit}`;
}

const TIME = { hour: '2-digit', minute: '2-digit' };
const DAY = { day: 'numeric', month: 'short' };

/** An instant in the viewer's local time. @param isLong whether its day must be told */
export function clockTime(ms, isLong) {
  return new Date(ms).toLocaleString('en-GB', isLong ? { ...DAY, ...TIME } : TIME);
}

/** A mark of the time axis: the day where a day begins and marks are far apart. */
export function timeMark(ms, stepMs) {
  const date = new Date(ms);
  const isDay = stepMs >= 86_400_000 || (stepMs > 3_600_000 && date.getHours() === 0 && date.getMinutes() === 0);
  return date.toLocaleString('en-GB', isDay ? DAY : TIME);
}
