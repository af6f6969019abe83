import { expect, test } from 'vitest';
import { describeEntry, describeMs, TimelinePrinter } from '../../../src/cli/follow/timeline.ts';
import type { RunEntry } from '../../../src/run-record/types.ts';
import type { JobDetails } from '../../../src/timeline/types.ts';

const details: JobDetails = {
  id: 'task-1',
  queue: 'tasks',
  state: 'failed',
  text: 'What is\nsold?',
  model: 'claude-haiku-5-5',
  batch: 'nightly',
  mission: null,
  worker: 'w',
  findingId: null,
  failure: { reason: 'schema', text: 'no JSON' },
  costNanoUsd: 330_000,
  costUsd: '0.000330',
  waits: { why: 'it failed: schema', command: 'fleet retry --reason schema' },
  isRecorded: true,
};
const at = new Date('2026-11-27T10:00:00').getTime();

test('what a person does comes first; each entry is one aligned line', () => {
  const printer = new TimelinePrinter({ width: 100, colour: false });
  const look = { details, timeline: [], unnotedAt: null, open: null };
  expect(printer.head(look)).toEqual([
    'It failed: schema: fleet retry --reason schema',
    'task task-1: failed, batch nightly, claude-haiku-5-5, $0.000330',
    '  What is sold?',
    '',
  ]);
  expect(printer.change(look)).toEqual([]); // nothing new
  expect(printer.change({ ...look, details: { ...details, waits: null } })).toEqual([]);
  expect(printer.change(look)).toEqual(['It failed: schema: fleet retry --reason schema']); // it came back
  expect(printer.head({ ...look, details: { ...details, state: 'completed' } })[0]).toMatch(/: done, batch/);
  const entries: RunEntry[] = [
    { at, kind: 'queued' },
    { at: at + 1_500, kind: 'taken', by: 'haiku_box_001' },
    { at: at + 90_000, kind: 'failed', reason: 'schema', text: `no\u001b[31m ${'x'.repeat(200)}` },
  ];
  const lines = entries.map((entry) => printer.entry(entry));
  expect(lines.slice(0, 2)).toEqual([
    '      +0.0 s  2026-11-27 10:00:00  queued',
    '      +1.5 s             10:00:01  taken     by haiku_box_001',
  ]);
  expect(lines[2]).toMatch(/^ \+1 min 30 s {13}10:01:30 {2}failed {4}schema: no \[31m x+…$/);
});

test('says of a call what it was sent, what it cost, and how it failed', () => {
  const call = {
    at,
    kind: 'call',
    turn: '0',
    model: 'm',
    input: 1_200,
    cached: 800,
    output: 30,
    ms: 2_345,
    nanoUsd: 5_000,
    held: 9,
    error: null,
  } as const;
  expect(describeEntry(call)).toBe('turn 1: $0.000005, 2.3 s, 1,200 in (800 cached), 30 out, m');
  expect(describeEntry({ ...call, turn: 'plan', nanoUsd: null, error: 'it is down' })).toBe(
    'turn plan failed after 2.3 s (cost uncertain, m): it is down',
  );
  expect([50, 59_600, 3_600_000, 200_000_000].map(describeMs)).toEqual(['0.1 s', '1 min 0 s', '1 h 0 min', '2 days']);
});
