import { InvalidArgumentError, Option } from 'commander';
import { EFFORTS } from '../../../queues/effort.ts';

/** Findings that `fleet findings` lists without `--limit`. */
export const FINDINGS_SHOWN = 20;

/** Returns the parser of an option that takes a whole number. */
export function toCount(low: number, high: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= low && count <= high) return count;
    throw new InvalidArgumentError(`Expected ${low}..${high}.`);
  };
}

/** Parses an amount of dollars, at most a million. */
export function toUsd(text: string): number {
  const usd = Number(text.replace(/^\$/, ''));
  if (text.trim() !== '' && Number.isFinite(usd) && usd >= 0 && usd <= 1_000_000) return usd;
  throw new InvalidArgumentError('Expected dollars, 0..1000000.');
}

/** `--json` of every command with output for programs. */
export function jsonOption(): Option {
  return new Option('--json', 'for programs');
}

/** `--effort` of commands that describe or edit a task. */
export function effortOption(): Option {
  return new Option('--effort <effort>', 'how much the model thinks').choices([...EFFORTS]);
}
