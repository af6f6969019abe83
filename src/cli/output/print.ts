import { countToolErrors, describeToolErrorCount, isPartial } from '../../findings/marks.ts';
import type { StoredFinding } from '../../findings/types.ts';
import type { ProcessProblem } from '../../pm2/wait-until-ready.ts';
import { formatCost } from '../../pricing/free-local.ts';
import { formatUsd, toNanoUsd } from '../../pricing/money.ts';
import { toOneLine } from '../../text/one-line.ts';
import { startOf } from '../../text/start-of.ts';
import { stringifyExact } from '../../text/exact-json.ts';
import { escapeControls } from '../../text/without-controls.ts';

/** Whether the stream is a terminal. Bars and redrawing are for terminals; programs and files get plain lines. */
export function isTerminal(stream: NodeJS.WriteStream = process.stdout): boolean {
  return stream.isTTY && process.env.TERM !== 'dumb';
}

/** Colours are off where NO_COLOR is set and not empty: https://no-color.org */
export function wantsColour(): boolean {
  return isTerminal() && (process.env.NO_COLOR ?? '') === '';
}

/** Prints one JSON document for programs, indented for people. */
export function printJson(value: unknown): void {
  console.log(escapeControls(stringifyExact(value, 2)));
}

/** One line of any text without control characters, cut to `width`. */
export function fitLine(text: string, width: number): string {
  const line = toOneLine(text, Infinity);
  return line.length <= width ? line : `${startOf(line, Math.max(0, width - 1))}…`;
}

/** Columns of the terminal; 100 where there is none. */
export function lineWidth(): number {
  return process.stdout.columns ?? 100;
}

/**
 * Aligned columns, two spaces apart.
 * @param right indexes of the columns that are aligned to the right, such as numbers
 */
export function renderTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const pad = (cell: string, i: number): string =>
    right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** What a partial finding is, for people. */
export const PARTIAL_MEANING = 'its worker ran out of turns, and reported what it had';

/** Marks before the first line of a finding that is retracted, condensed or partial, or had tool errors; empty for any other. */
export function toMarks(finding: StoredFinding): string {
  const { status } = finding;
  const marks = [
    status === 'retracted' || status === 'condensed' ? status.toUpperCase() : '',
    finding.simulated === true ? 'SIMULATED' : '',
    isPartial(finding) ? 'PARTIAL' : '',
    describeToolErrorCount(finding),
  ].filter((mark) => mark !== '');
  return marks.map((mark) => `${mark}  `).join('');
}

/** What a person should know of a task before its result, one line each: that it is partial, and the last error of each tool. */
export function describeShortfalls(finding: StoredFinding): string[] {
  const errors = finding.tool_errors?.last ?? [];
  return [
    ...(isPartial(finding) ? [`Partial: ${PARTIAL_MEANING}`] : []),
    ...(countToolErrors(finding) === 0
      ? []
      : [`${describeToolErrorCount(finding)}; fleet findings ${finding.finding_id}`]),
    ...errors.map(({ tool, error }) => `  ${fitLine(`${tool}: ${error}`, Math.max(40, lineWidth() - 5))}`),
  ];
}

/** Prints why a process did not become ready, with its own error output. */
export function printProcessProblem({ name, exitCode, triedAgain, lines }: ProcessProblem): void {
  const how = exitCode === null ? 'is not ready' : `ended with exit code ${exitCode}`;
  console.error(`❌ ${name} ${how}${triedAgain ? '; pm2 tries again' : ''}`);
  for (const line of lines) console.error(`   ${line}`);
}

/** What a finding cost. The cost of an outside worker is unknown, which is no $0. Undefined: the finding does not say. */
export function describeCost({
  cost,
  unmetered,
  free_local: isLocal,
}: Pick<StoredFinding, 'cost' | 'unmetered' | 'free_local'>): string | undefined {
  if (unmetered !== undefined) return 'unmetered';
  return cost === undefined ? undefined : formatCost(toNanoUsd(cost), 6, isLocal === true);
}

/** What an outside worker states that its work took; undefined: nothing, or the fleet did it. */
export function describeUnmetered({ unmetered }: Pick<StoredFinding, 'unmetered'>): string | undefined {
  if (unmetered === undefined) return undefined;
  const { input, output, cost } = unmetered;
  const parts = [
    ...(input === null ? [] : [`${input} prompt`]),
    ...(output === null ? [] : [`${output} output`]),
    ...(cost === null ? [] : [formatUsd(toNanoUsd(cost), 6)]),
  ];
  return parts.length === 0 ? undefined : `${parts.join(', ')}, as its worker states`;
}
