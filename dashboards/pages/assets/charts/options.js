import uPlot from '../lib/uplot.mjs';
import { timeMark, UNITS } from './units.js';

const FONT = '11px system-ui, sans-serif';
/** Room for a character of a mark. */
const CHARACTER_PX = 7;

/**
 * The options of uPlot for a chart. Colours are read at each drawing, as the theme has them then.
 * @param seriesOf gives the series that is drawn now
 * @param onPoint takes the place of the step under the pointer, or null
 */
export function toOptions({ lines, unit, stacked, size, seriesOf, onPoint }) {
  const { axis, steps } = UNITS[unit];
  const grid = { stroke: () => colour('--line'), width: 1 };
  const marks = { stroke: () => colour('--soft'), font: FONT, grid, ticks: { show: false } };
  return {
    ...size,
    padding: [6, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: !stacked } },
    scales: {
      x: { range: (plot) => toRange(seriesOf(), plot.data[0].length) },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.05 : 1] },
    },
    axes: [
      {
        ...marks,
        size: 28,
        gap: 7,
        space: 64,
        values: (_plot, at, _axis, _space, step) => at.map((s) => timeMark(s * 1_000, step * 1_000)),
      },
      {
        ...marks,
        gap: 4,
        space: 28,
        ...(steps && { incrs: steps }),
        size: (_plot, texts) => 8 + CHARACTER_PX * Math.max(2, ...(texts ?? []).map((text) => text.length)),
        values: (_plot, at, _axis, _space, step) => at.map((value) => axis(value, step)),
      },
    ],
    series: [{}, ...lines.map(({ tone }) => (stacked ? toBars(tone) : toLine(tone)))],
    hooks: { setCursor: [(plot) => onPoint(findStep(plot, seriesOf()))] },
  };
}

/** The place of the step under the pointer. Null: it is elsewhere. */
function findStep({ cursor, posToVal, data }, { from, stepMs }) {
  if (!(cursor.left >= 0)) return null;
  const at = Math.floor((posToVal(cursor.left, 'x') * 1_000 - Date.parse(from)) / stepMs);
  return Math.max(0, Math.min(at, data[0].length - 1));
}

/** Bars of a step begin at its time. */
function toBars(tone) {
  return {
    fill: () => colour(`--${tone}`),
    width: 0,
    paths: uPlot.paths.bars({ align: 1, size: [0.85, 40] }),
    points: { show: false },
  };
}

function toLine(tone) {
  return {
    stroke: () => colour(`--${tone}`),
    width: 2,
    points: { show: true, size: 5, fill: () => colour(`--${tone}`), width: 0, filter: findLonely },
  };
}

/** A value between two gaps is no line: it is drawn as a point. */
function findLonely(plot, line) {
  const values = plot.data[line];
  return values.flatMap((value, i) =>
    value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? [i] : [],
  );
}

function toRange({ from, stepMs }, steps) {
  const start = Date.parse(from) / 1_000;
  return [start, start + (steps * stepMs) / 1_000];
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
