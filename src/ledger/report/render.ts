import { FREE_LOCAL_RULE, formatCost } from '../../pricing/free-local.ts';
import { formatUsd } from '../../pricing/money.ts';
import { countOf, formatCount } from '../../text/plural.ts';
import type { CostReport, CostRow } from './types.ts';
import { toPromptTokens, toTotalTokens } from '../../pricing/tokens.ts';

/** What a row without a value is called. */
export const NO_NAME = '(none)';

/** Renders the table of `fleet costs`: one line for each row, the total, and the model of the comparison. */
export function renderCosts(report: CostReport): string {
  if (report.rows.length === 0) return 'Nothing has been spent yet.';
  const hasRework = report.total.reworkNano > 0 || report.total.reworkTasks > 0;
  const hasCache = report.total.usage.cache_write + report.total.usage.cache_read > 0;
  const hasArchive = report.total.archive.calls > 0;
  const hasUnmetered = report.total.unmetered.tasks > 0;
  const head = [
    report.by,
    'tasks',
    'calls',
    'prompt',
    ...(hasCache ? ['written', 'read'] : []),
    'output',
    'cost',
    `all ${report.comparedWith}`,
    'saved',
    ...(hasCache ? ['by cache'] : []),
    ...(hasRework ? ['rework', 'effective'] : []),
    ...(hasArchive ? ['archive', 'its cost'] : []),
    ...(hasUnmetered ? ['unmetered', 'tokens', 'stated'] : []),
  ];
  const toLineOf = (row: CostRow, name: string): string[] => [
    ...toCells(row, name, hasCache),
    ...(hasRework ? toRework(row) : []),
    ...(hasArchive ? toArchive(row) : []),
    ...(hasUnmetered ? toUnmetered(row) : []),
  ];
  const lines = report.rows.map((row) => toLineOf(row, row.name ?? NO_NAME));
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
    `"all ${report.comparedWith}": the same tokens at the prices of ${report.sonnet}`,
    ...(hasCache
      ? [
          '"written", "read": the part of the prompts that the provider’s cache took in and gave back; "by cache": saved by it',
        ]
      : []),
    ...(hasRework ? ['"effective": rework, spent on tasks that failed or were handed back, is no work saved'] : []),
    ...(hasArchive
      ? [
          `"archive": the part of the tokens and the cost that librarians used; "all ${report.comparedWith}" and what was saved leave it out`,
        ]
      : []),
    ...(hasUnmetered
      ? [
          '"unmetered": tasks of outside workers, with the tokens and dollars that they state; no other column counts them',
        ]
      : []),
    ...(report.total.freeLocalCalls === 0
      ? []
      : [`${countOf(report.total.freeLocalCalls, 'call')} ${FREE_LOCAL_RULE}`]),
    ...(report.total.freeListNano === 0
      ? []
      : [`free calls: ${formatUsd(report.total.freeListNano, 4)} at list price, billed at nothing`]),
  ].join('\n');
}

function toCells(row: CostRow, name: string, hasCache: boolean): string[] {
  const { usage } = row;
  return [
    name,
    formatCount(row.tasks),
    formatCount(row.calls),
    formatCount(toPromptTokens(usage)),
    ...(hasCache ? [formatCount(usage.cache_write), formatCount(usage.cache_read)] : []),
    formatCount(row.usage.output),
    toCost(row),
    formatUsd(row.allSonnetNano, 4),
    toSaved(row),
    ...(hasCache ? [formatUsd(row.cacheSavedNano, 4)] : []),
  ];
}

/** A row of calls that cost nothing a token has no price. A row with others besides has one; the lines below count them. */
function toCost({ costNano, calls, freeLocalCalls }: CostRow): string {
  return formatCost(costNano, 4, calls > 0 && calls === freeLocalCalls);
}

/** Where there is no work of tasks there is nothing to save. */
function toSaved({ savedPercent, archive, calls }: CostRow): string {
  return calls > 0 && archive.calls === calls ? '–' : `${savedPercent.toFixed(1)} %`;
}

function toArchive({ archive }: CostRow): string[] {
  return [formatCount(toTotalTokens(archive.usage)), formatUsd(archive.costNano, 4)];
}

function toRework(row: CostRow): string[] {
  const effective = row.effectiveSavedPercent;
  return [formatUsd(row.reworkNano, 4), effective === null ? '–' : `${effective.toFixed(1)} %`];
}

function toUnmetered({ unmetered }: CostRow): string[] {
  const { tasks, inputTokens, outputTokens, costNano } = unmetered;
  return [formatCount(tasks), formatCount(inputTokens + outputTokens), formatUsd(costNano, 4)];
}
