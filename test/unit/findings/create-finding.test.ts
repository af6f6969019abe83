import { expect, it } from 'vitest';
import { createFinding } from '../../../src/findings/create-finding.ts';
import { toLocalTimestamp } from '../../../src/findings/timestamp.ts';

const storedAt = '2026-11-21T10:15:00.123Z';
const parts = {
  identity: { findingId: 'finding_1', jobId: 'job-1', session: 's1', batch: 'b1', missionId: null },
  workerId: 'haiku_box_001',
  storedAt,
  task: 'Count the crates.',
  result: { summary: '40  crates', crates: 40 },
  kind: 'research',
  model: { id: 'claude-haiku-4-5', vendor: 'anthropic' },
  promptVersion: 'haiku-1',
};

it('writes the fields of older programs first, then the others, always in one order', () => {
  const totals = { nanoUsd: 1_234_567, usage: { input: 1, cache_write: 2, cache_read: 3, output: 4 } };
  const changes = [{ path: 'a.txt', added: 1, removed: 0, lines: '1' }];
  const finding = createFinding({ ...parts, totals, changes, citations: ['x'], topics: ['tea'], recovered: 2 });

  expect(Object.entries(finding)).toEqual([
    ['finding_id', 'finding_1'],
    ['worker_id', 'haiku_box_001'],
    ['timestamp', toLocalTimestamp(new Date(storedAt))],
    ['task', 'Count the crates.'],
    ['result', { summary: '40  crates', crates: 40 }],
    ['files_changed', ['a.txt']],
    ['citations', ['x']],
    ['tokens_used', 10],
    ['cost', 0.001235],
    ['at', storedAt],
    ['summary', '40 crates'],
    ['session', 's1'],
    ['batch', 'b1'],
    ['mission_id', null],
    ['job_id', 'job-1'],
    ['model', 'claude-haiku-4-5'],
    ['vendor', 'anthropic'],
    ['prompt_version', 'haiku-1'],
    ['kind', 'research'],
    ['changes', changes],
    ['topics', ['tea']],
    ['status', 'completed'],
    ['usage', totals.usage],
    ['recovered', 2],
  ]);
});

it('writes every field of a finding that cost nothing and changed nothing', () => {
  expect(createFinding({ ...parts, summary: 'counted' })).toMatchObject({
    files_changed: [],
    citations: [],
    tokens_used: 0,
    cost: 0,
    summary: 'counted',
    changes: [],
    topics: [],
    usage: { input: 0, cache_write: 0, cache_read: 0, output: 0 },
    recovered: 0,
  });
});
