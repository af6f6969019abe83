import type { Call, TaskView } from './types.ts';
import { parseReadResult, type ReadResult } from './read-result.ts';
import type { Step } from './steps.ts';

/** Results that are put together for one file. */
const MAX_PARTS = 50;
const MAX_PARALLEL = 6;

/** What the `read` tool returned of a file. */
export interface FileText {
  path: string;
  text: string;
  /** Lines as `wc -l` counts them, plus an unfinished last one. */
  lines: number;
  /** Whether the file was read to its end, so that `lines` counts all lines. */
  isComplete: boolean;
  /** Whether `text` is the whole file. False if a part was dropped from the prompt after it was read. */
  isWhole: boolean;
  /** The tool's error, or null. */
  error: string | null;
}

/** Reads files, and goes on where a file is too large for one result. */
export function readFiles(view: TaskView, paths: readonly string[]): { calls: Call[]; files: FileText[] } {
  const calls: Call[] = [];
  const files: FileText[] = [];
  for (const path of paths) {
    const outcome = readFile(view, path);
    if ('call' in outcome) calls.push(outcome.call);
    else files.push(outcome.file);
  }
  return { calls: calls.slice(0, MAX_PARALLEL), files };
}

function readFile(view: TaskView, path: string): { call: Call } | { file: FileText } {
  if (!view.tools.has('read')) return { file: failed(path, 'no tool to read files was offered') };
  const reads = view.steps.filter((step) => step.name === 'read' && step.input.file_path === path);
  let step = reads.find(({ input }) => input.view_range === undefined);
  let call: Call = { name: 'read', input: { file_path: path } };
  const parts: string[] = [];
  let lines = 0;
  let isWhole = true;
  for (let i = 0; i < MAX_PARTS; i += 1) {
    if (step === undefined) return { call };
    if (step.isLost) {
      const next = partAfter(reads, step);
      if (next === undefined) break;
      isWhole = false;
      lines = Math.max(lines, firstLineOf(next) - 1);
      step = next;
      continue;
    }
    if (step.isError) return { file: lines === 0 ? failed(path, firstLine(step)) : partial(path, parts, lines) };
    const result = parseReadResult(step.content) ?? toBareResult(step.content);
    parts.push(result.text);
    lines += result.lines - (result.isCutInLine ? 1 : 0);
    if (result.next === null) {
      return { file: { path, text: parts.join(''), lines, isComplete: true, isWhole, error: null } };
    }
    call = { name: 'read', input: { file_path: path, ...result.next } };
    const wanted = JSON.stringify(toPart(call.input));
    step = reads.findLast(({ input }) => JSON.stringify(toPart(input)) === wanted);
  }
  return { file: lines === 0 ? failed(path, 'its content is no longer in the prompt') : partial(path, parts, lines) };
}

function toPart({ view_range, from_character = 1 }: Step['input']): unknown[] {
  return [view_range, from_character];
}

/** The read that followed one that was dropped from the prompt. */
function partAfter(reads: readonly Step[], lost: Step): Step | undefined {
  return reads.slice(reads.indexOf(lost) + 1).find((step) => firstLineOf(step) > firstLineOf(lost));
}

function firstLineOf({ input }: Step): number {
  const [from] = Array.isArray(input.view_range) ? (input.view_range as unknown[]) : [];
  return typeof from === 'number' ? from : 1;
}

/** A result without line numbers: the text of the file. */
function toBareResult(text: string): ReadResult {
  return { text, lines: countLines(text), next: null, isCutInLine: false };
}

function countLines(text: string): number {
  if (text === '') return 0;
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

export function firstLine(step: Step): string {
  return step.content.trim().split('\n')[0] ?? '';
}

function partial(path: string, parts: readonly string[], lines: number): FileText {
  return { path, text: parts.join(''), lines, isComplete: false, isWhole: false, error: null };
}

function failed(path: string, error: string): FileText {
  return { path, text: '', lines: 0, isComplete: false, isWhole: false, error };
}
