import type { Call, TaskView } from './types.ts';
import { findStep, type Step } from './steps.ts';

const RANGE_LINES = 400;
const MAX_RANGES = 50;
const MAX_PARALLEL = 6;
const CUT = /\n?\[[^\]\n]*\b(?:cut|truncated)\b[^\]\n]*\]\s*$/i;

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

/** Reads whole files, or ranges of a file that is too large for one result. */
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
  const whole = view.steps.find(
    (step) => step.name === 'read' && step.input.file_path === path && step.input.view_range === undefined,
  );
  if (whole === undefined) return { call: { name: 'read', input: { file_path: path } } };
  if (whole.isLost) return { file: failed(path, 'its content is no longer in the prompt') };
  const isTooLarge = whole.isError ? /exceeds|view_range|too large/i.test(whole.content) : CUT.test(whole.content);
  if (!isTooLarge) return { file: whole.isError ? failed(path, firstLine(whole)) : complete(path, whole.content) };
  return readRanges(view, path);
}

/** Reads ranges of 400 lines, or shorter ones if the tool's error names how many lines fit. */
function readRanges(view: TaskView, path: string): { call: Call } | { file: FileText } {
  const parts: string[] = [];
  let lines = 0;
  let isWhole = true;
  const toFile = (isComplete: boolean) => ({
    file: { path, text: parts.join('\n'), lines, isComplete, isWhole: isWhole && isComplete, error: null },
  });
  for (let i = 0; i < MAX_RANGES; i++) {
    let range = [lines + 1, lines + RANGE_LINES];
    let step = findStep(view.steps, 'read', { file_path: path, view_range: range });
    const fits = step?.isError ? /view_range: \[(\d+), (\d+)\]/.exec(step.content) : null;
    if (fits !== null) {
      range = [lines + 1, Math.max(lines + 1, Number(fits[2]))];
      step = findStep(view.steps, 'read', { file_path: path, view_range: range });
    }
    if (step === undefined) return { call: { name: 'read', input: { file_path: path, view_range: range } } };
    if (step.isError && /\bhas \d+ lines, asked from\b/.test(step.content)) return toFile(true);
    const [from = 1, to = 1] = range;
    if (step.isLost && view.steps.some((other) => isNextRange(other, path, to))) {
      isWhole = false;
      lines += to - from + 1; // the range was full: only then did the next range follow
      continue;
    }
    if (step.isError || step.isLost || CUT.test(step.content)) return toFile(false);
    const count = step.content === '' ? 0 : step.content.split('\n').length; // a range has no line break at its end
    parts.push(step.content);
    lines += count;
    if (count < to - from + 1) return toFile(true);
  }
  return toFile(false);
}

function isNextRange({ name, input }: Step, path: string, to: number): boolean {
  const range = Array.isArray(input.view_range) ? input.view_range : [];
  return name === 'read' && input.file_path === path && range[0] === to + 1;
}

function countLines(text: string): number {
  if (text === '') return 0;
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

export function firstLine(step: Step): string {
  return step.content.trim().split('\n')[0] ?? '';
}

function complete(path: string, text: string): FileText {
  return { path, text, lines: countLines(text), isComplete: true, isWhole: true, error: null };
}

function failed(path: string, error: string): FileText {
  return { path, text: '', lines: 0, isComplete: false, isWhole: false, error };
}
