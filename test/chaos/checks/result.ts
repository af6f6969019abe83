/** One line of the table. */
export interface Row {
  what: string;
  value: string;
  /** What must hold; absent: shown only. */
  bar?: string;
  holds?: boolean;
}

/** A line that fails unless the value is `wanted`. */
export function exactly(what: string, value: number, wanted: number): Row {
  return { what, value: toText(value), bar: `= ${toText(wanted)}`, holds: value === wanted };
}

export function atMost(what: string, value: number, limit: number, unit = ''): Row {
  return { what, value: `${toText(value)}${unit}`, bar: `≤ ${toText(limit)}${unit}`, holds: value <= limit };
}

export function shown(what: string, value: number | string, unit = ''): Row {
  return { what, value: `${typeof value === 'number' ? toText(value) : value}${unit}` };
}

function toText(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

export function toTable(rows: readonly Row[]): string {
  const width = (pick: (row: Row) => string): number => Math.max(...rows.map((row) => pick(row).length));
  const [whats, values, bars] = [width((row) => row.what), width((row) => row.value), width((row) => row.bar ?? '')];
  return rows
    .map(({ what, value, bar = '', holds }) => {
      const mark = holds === undefined ? '' : holds ? '✅' : '❌';
      return `  ${what.padEnd(whats)}  ${value.padStart(values)}   ${bar.padEnd(bars)} ${mark}`.trimEnd();
    })
    .join('\n');
}
