import { formatUsd } from '../../pricing/money.ts';
import type { CostReport, CostRow } from './types.ts';
import { toPromptTokens } from '../../pricing/tokens.ts';

/** Renders the table of `fleet costs`: one line for each row, the total, and the model of the comparison. */
export function renderCosts(report: CostReport): string {
  if (report.rows.length === 0) return 'Nothing has been spent yet.';
  const hasRework = report.total.reworkNano > 0 || report.total.reworkTasks > 0;
  const hasCache = report.total.usage.cache_write + report.total.usage.cache_read > 0;
  const head = [
    report.by,
    'tasks',
    'calls',
    'prompt',
    ...(hasCache ? ['written', 'read'] : []),
    'output',
    'cost',
    'all Sonnet',
    'saved',
    ...(hasCache ? ['by cache'] : []),
    ...(hasRework ? ['rework', 'effective'] : []),
  ];
  const toLineOf = (row: CostRow, name: string): string[] => [
    ...toCells(row, name, hasCache),
    ...(hasRework ? toRework(row) : []),
  ];
  const lines = report.rows.map((row) => toLineOf(row, row.name ?? '(none)'));
  const total = toLineOf(report.total, 'total');
  const widths = head.map((title, i) =>
    Math.max(title.length, ...[...lines, total].map((line) => line[i]?.length ?? 0)),
  );
  const toLine = (cells: string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  const rule = '━'.repeat(toLine(head).length);
  return [
    toLine(head),
    rule,
    ...lines.map(toLine),
    rule,
    toLine(total),
    `"all Sonnet": the same tokens at the prices of ${report.sonnet}`,
    ...(hasCache
      ? [
          '"written", "read": the part of the prompts that the provider’s cache took in and gave back; "by cache": saved by it',
        ]
      : []),
    ...(hasRework ? ['"effective": rework, spent on tasks that failed or were handed back, is no work saved'] : []),
    ...(report.total.freeListNano === 0
      ? []
      : [`free calls: ${formatUsd(report.total.freeListNano, 4)} at list price, billed at nothing`]),
  ].join('\n');
}

function toCells(row: CostRow, name: string, hasCache: boolean): string[] {
  const { usage } = row;
  return [
    name,
    count(row.tasks),
    count(row.calls),
    count(toPromptTokens(usage)),
    ...(hasCache ? [count(usage.cache_write), count(usage.cache_read)] : []),
    count(row.usage.output),
    formatUsd(row.costNano, 4),
    formatUsd(row.allSonnetNano, 4),
    `${row.savedPercent.toFixed(1)} %`,
    ...(hasCache ? [formatUsd(row.cacheSavedNano, 4)] : []),
  ];
}

function toRework(row: CostRow): string[] {
  const effective = row.effectiveSavedPercent;
  return [formatUsd(row.reworkNano, 4), effective === null ? '–' : `${effective.toFixed(1)} %`];
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
