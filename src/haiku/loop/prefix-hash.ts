import { hash } from 'node:crypto';

/** Hashes of objects that all tasks share: system blocks and tools. */
const known = new WeakMap<object, string>();

/**
 * Hash of what decides how the prompts of a task begin, and how they are trimmed. A provider refuses thinking under a prompt
 * that begins otherwise. Cache marks may move, so they do not count.
 * @param fixed what is sent besides the messages; the objects must not change
 */
export function toPrefixHash(start: { model: string; limitTokens: number; first: string }, fixed: object[]): string {
  return digest([start, ...fixed.map(hashOnce)]);
}

function hashOnce(fixed: object): string {
  const found = known.get(fixed) ?? digest(fixed);
  known.set(fixed, found);
  return found;
}

function digest(value: object): string {
  const text = JSON.stringify(value, (key, part: unknown) => (key === 'cache_control' ? undefined : part));
  return hash('sha256', text).slice(0, 16);
}
