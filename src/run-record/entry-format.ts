import type { RunEntry, RunNote } from './types.ts';

type Kind = RunNote['kind'];
type FieldsOf<K extends Kind> = readonly Exclude<keyof Extract<RunNote, { kind: K }>, 'kind'>[];

/**
 * The fields of each kind, in the order in which an entry holds them: `[ms, "kind", field…]`. A field that is added comes last: an older
 * version leaves it out, and an older entry has null there.
 */
const FIELDS: { [K in Kind]: FieldsOf<K> } = {
  taken: ['by'],
  call: ['turn', 'model', 'input', 'cached', 'output', 'ms', 'nanoUsd', 'held', 'error'],
  tool: ['name', 'args', 'ms', 'size', 'error'],
  wait: ['reason', 'until'],
  handover: ['from', 'to', 'why'],
  replayed: ['turns'],
  back: ['reason'],
  halted: ['reason'],
  parked: ['reason'],
  asked: ['question', 'until'],
  escalated: ['to', 'why'],
  offered: ['reason'],
  failed: ['reason', 'text'],
};

/** The words of others: of any length, and with any secret. The rest are ids, names and numbers of the fleet's own. */
const TEXTS: ReadonlySet<string> = new Set(['error', 'reason', 'why', 'question', 'text']);

/**
 * An entry as Redis holds it: short, because each turn writes several.
 * @param texts cuts the words of others, and removes secrets from them
 */
export function packEntry(at: number, note: RunNote, texts: { clean(text: string): string }): string {
  let packed = `[${at},"${note.kind}"`;
  let nulls = 0; // those at the end are left out
  for (const field of FIELDS[note.kind]) {
    const value = (note as Record<string, unknown>)[field] ?? null;
    if (value === null) {
      nulls += 1;
      continue;
    }
    for (; nulls > 0; nulls -= 1) packed += ',null';
    packed += `,${typeof value === 'number' ? value : JSON.stringify(typeof value === 'string' && TEXTS.has(field) ? texts.clean(value) : value)}`;
  }
  return `${packed}]`;
}

/** @returns null for what is no entry, or one of a kind that a newer version writes */
export function parseEntry(text: string): RunEntry | null {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(parts)) return null;
  const [at, kind, ...values] = parts as unknown[];
  if (typeof at !== 'number' || typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return null;
  const entry: Record<string, unknown> = { at, kind };
  for (const [i, field] of FIELDS[kind as Kind].entries()) entry[field] = values[i] ?? null;
  return entry as RunEntry;
}
