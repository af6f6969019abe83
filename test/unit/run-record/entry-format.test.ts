import { expect, test } from 'vitest';
import { packEntry, parseEntry } from '../../../src/run-record/entry-format.ts';
import { MOST_ENTRIES, RunRecord } from '../../../src/run-record/run-record.ts';
import type { RunNote } from '../../../src/run-record/types.ts';

const texts = { clean: (text: string): string => text };

test('an entry is short, and comes back as it was', () => {
  const call: RunNote = {
    kind: 'call',
    turn: '2-more',
    model: 'claude-haiku-5-5',
    input: 1_200,
    cached: 800,
    output: 300,
    ms: 2_300,
    nanoUsd: null,
    held: 5,
    error: null,
  };
  const packed = packEntry(1_764_224_656_123, call, texts);
  expect(packed.length).toBeLessThan(100);
  expect(parseEntry(packed)).toEqual({ at: 1_764_224_656_123, ...call });
});

test('what an older version left out is null; what is no entry, or of a newer kind, is left out', () => {
  expect(parseEntry('[7,"wait","busy"]')).toEqual({ at: 7, kind: 'wait', reason: 'busy', until: null });
  for (const text of ['', '{}', '[7]', '["x","wait"]', '[7,"dreamt","of tea"]', 'constructor', '[7,"constructor"]'])
    expect(parseEntry(text)).toBeNull();
});

test('a record keeps the newest, on one line each, and gives back what a script did not write', () => {
  const record = new RunRecord({ clock: { now: () => 1 }, redact: (text) => text.replace('secret', '***') }, 60);
  expect(record.take()).toEqual([]);
  record.note({ kind: 'taken', by: 'w' });
  expect(record.isUrgent).toBe(false); // BullMQ tells who has the job
  record.note({ kind: 'wait', reason: `secret\n${'x'.repeat(5_000)}`, until: null });
  const taken = record.take();
  expect(taken[0]).toBe('60');
  expect(parseEntry(taken[2] ?? '')).toMatchObject({ reason: `*** ${'x'.repeat(196)}` });
  expect([record.isPending, record.isUrgent]).toEqual([false, false]);
  record.note({ kind: 'replayed', turns: 1 });
  record.giveBack(taken);
  expect(record.take().map((text) => parseEntry(text)?.kind)).toEqual([undefined, 'taken', 'wait', 'replayed']);
  for (let i = 0; i < MOST_ENTRIES + 5; i += 1) record.note({ kind: 'replayed', turns: i });
  expect(record.take()).toHaveLength(MOST_ENTRIES + 1);
});
