import { renameSync, writeFileSync } from 'node:fs';

/** What the processes of `test/integration/process/off-loop.test.ts` run. */

export function add({ a, b }: { a: number; b: number }): number {
  return a + b;
}

export function matchSlowly(text: string): boolean {
  return /^(a+)+$/.test(text);
}

export function fillMemory(): number {
  const kept: string[][] = [];
  for (;;) kept.push(Array.from({ length: 1_000 }, (_, i) => `${kept.length}:${i}`));
}

export function fail(message: string): never {
  throw new RangeError(message);
}

export function readEnvironment(): string[] {
  return Object.keys(process.env);
}

export function toFunction(): () => void {
  return () => undefined;
}

export function endProcess(): never {
  process.exit(3);
}

/** Writes its process id into a file and never returns. */
export function hang(file: string): never {
  writeFileSync(`${file}.new`, String(process.pid));
  renameSync(`${file}.new`, file);
  for (;;);
}
