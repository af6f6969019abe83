import { InvalidArgumentError, Option } from 'commander';
import { EFFORTS } from '../../../queues/effort.ts';

/** Findings that `fleet findings` lists without `--limit`. */
export const FINDINGS_SHOWN = 20;
/** Jobs that `fleet jobs` lists without `--limit`. */
export const JOBS_SHOWN = 20;
/** Changes that `fleet audit` lists without `--limit`. */
export const AUDIT_SHOWN = 50;

/** Returns the parser of an option that takes a whole number. */
export function toCount(low: number, high: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= low && count <= high) return count;
    throw new InvalidArgumentError(`Expected ${low}..${high}.`);
  };
}

/** Parses numbers from 1, with commas between; an option given several times adds to the ones before. */
export function toNumbers(text: string, before: readonly number[] = []): number[] {
  const numbers = text.split(',').map((part) => part.trim());
  if (numbers.every((number) => /^[1-9]\d{0,6}$/.test(number))) return [...before, ...numbers.map(Number)];
  throw new InvalidArgumentError('Expected numbers of tasks, such as 2,5.');
}

/** Parses an amount of dollars, at most a million. */
export function toUsd(text: string): number {
  const usd = Number(text.replace(/^\$/, ''));
  if (text.trim() !== '' && Number.isFinite(usd) && usd >= 0 && usd <= 1_000_000) return usd;
  throw new InvalidArgumentError('Expected dollars, 0..1000000.');
}

/** Parses a time in seconds, of a lease or a wait. */
export function toSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('Expected seconds, 1..86400.');
}

/** Parses `1200,300`: tokens of prompts, then of replies. */
export function toTokens(text: string): { input: number; output: number } {
  const [, input, output] = /^(\d{1,12}),(\d{1,12})$/.exec(text) ?? [];
  if (input !== undefined && output !== undefined) return { input: Number(input), output: Number(output) };
  throw new InvalidArgumentError('Expected two whole numbers, IN,OUT.');
}

/** `--timeout` of every command that waits. */
export function timeoutOption(): Option {
  return new Option('--timeout <seconds>', 'longest wait; then exit 4, and the work goes on').argParser(toSeconds);
}

/** `--json` of every command with output for programs. */
export function jsonOption(): Option {
  return new Option('--json', 'for programs');
}

/** `--effort` of commands that describe or edit a task. */
export function effortOption(): Option {
  return new Option('--effort <effort>', 'how much the model thinks').choices([...EFFORTS]);
}
