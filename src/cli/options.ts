import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { toMessage, UsageError } from '../errors.ts';

/** Findings that `fleet findings` lists without `--limit`. */
export const FINDINGS_SHOWN = 20;

/** Parser of an option that takes a whole number. */
export function toCount(low: number, high: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= low && count <= high) return count;
    throw new InvalidArgumentError(`Expected ${low}..${high}.`);
  };
}

/** Parser of an amount of dollars, at most a million. */
export function toUsd(text: string): number {
  const usd = Number(text.replace(/^\$/, ''));
  if (text.trim() !== '' && Number.isFinite(usd) && usd >= 0 && usd <= 1_000_000) return usd;
  throw new InvalidArgumentError('Expected dollars, 0..1000000.');
}

/** @throws UsageError when the text is no JSON */
export function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${name}: expected JSON: ${toMessage(error)}`, { cause: error });
  }
}

/** @param path `-` reads the standard input. @throws UsageError when it cannot be read */
export function readTextFile(name: string, path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new UsageError(`${name}: cannot read ${path}: ${toMessage(error)}`, { cause: error });
  }
}

export function readJsonFile(name: string, path: string): unknown {
  return parseJson(`${name} ${path}`, readTextFile(name, path));
}

/** `--json` of every command whose output a program may read. */
export function jsonOption(): Option {
  return new Option('--json', 'for programs');
}
