import { Table } from '../elements.js';
import { html } from '../html.js';
import { OUTCOMES, PERCENTILES } from './lines.js';
import { clockTime, UNITS } from './units.js';

const COLUMNS = {
  From: 'tight',
  ...Object.fromEntries(
    Object.values(OUTCOMES).map(([name]) => [`${name[0].toUpperCase()}${name.slice(1)}`, 'number']),
  ),
  Spent: 'number',
  ...Object.fromEntries(Object.values(PERCENTILES).map(([name]) => [name, 'number'])),
};

/** The numbers of the charts for those who see none: each step in which something ended or was spent, the newest first. */
export function AsTable({ series, models }) {
  const { from, stepMs, span, outcomes, durationsMs } = series;
  const rows = outcomes.completed.map((_, i) => {
    const at = Date.parse(from) + i * stepMs;
    const spent = models.reduce((sum, { values }) => sum + (values[i] ?? 0), 0);
    const ended = Object.keys(OUTCOMES).map((outcome) => outcomes[outcome][i] ?? 0);
    const took = Object.keys(PERCENTILES).map((name) => durationsMs[name][i]);
    return {
      key: at,
      isEmpty: spent === 0 && ended.every((count) => count === 0),
      cells: [
        clockTime(at, span !== '1h'),
        ...ended.map(UNITS.tasks.value),
        UNITS.dollars.value(spent),
        ...took.map((ms) => (ms === null ? '–' : UNITS.duration.value(ms))),
      ],
    };
  });
  return html`<details>
    <summary>As a table</summary>
    <${Table} class="stack" columns=${COLUMNS} rows=${rows.filter(({ isEmpty }) => !isEmpty).toReversed()} />
  </details>`;
}
