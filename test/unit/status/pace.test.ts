import { expect, it } from 'vitest';
import { renderStatus } from '../../../src/status/render/status.ts';
import { describePace, toPace } from '../../../src/tasks/batch/pace.ts';
import { snapshotWith } from '../../support/status-snapshot.ts';

const now = 1_000_000;
const oldest = ['finding_1', String(now - 60_000)];

it('the pace of a batch is that of its last findings', () => {
  const pace = toPace({ count: 31, oldest, open: 60, parked: 0, now });
  expect(pace).toEqual({ perMinute: 30, leftMs: 120_000 });
  expect(toPace({ count: 31, oldest, open: 60, parked: 30, now })).toEqual({ perMinute: 30, leftMs: 60_000 });
  expect(describePace({ perMinute: 30, leftMs: 120_000 })).toBe('30 a minute, about 2 min left');
  expect(describePace({ perMinute: 2.25, leftMs: 7_200_000 })).toBe('2.3 a minute, about 2.0 h left');
  expect(describePace({ perMinute: 0.25, leftMs: 30_000 })).toBe('one in 4 min, about 30 s left');
});

it('the pace is not known before some findings, of a paused batch, and of one that is done', () => {
  expect(toPace({ count: 2, oldest, open: 60, parked: 0, now })).toBeNull();
  expect(toPace({ count: 20, oldest: ['finding_1', String(now - 900)], open: 60, parked: 0, now })).toBeNull();
  expect(toPace({ count: 0, oldest: [], open: 60, parked: 0, now })).toBeNull();
  expect(toPace({ count: 31, oldest, open: 0, parked: 0, now })).toBeNull();
  expect(toPace({ count: 31, oldest, open: 60, parked: 60, now })).toBeNull();
  expect(toPace({ count: 31, oldest, open: 60, parked: null, now })).toBeNull();
});

it('the status lists the batches that run', () => {
  const pace = { perMinute: 30, leftMs: 120_000 };
  const line = {
    batch: 'nightly',
    tasks: 1_200,
    completed: 1_139,
    failed: 1,
    cancelled: 0,
    parked: 20,
    pace,
    costNanoUsd: 1e8,
    limitNanoUsd: 2e9,
  };
  expect(renderStatus(snapshotWith({ batches: [line] }))).toContain(
    '\nBatches:\n  nightly  1,139 of 1,200 tasks done, 1 failed, 20 parked, 30 a minute, about 2 min left, $0.1000 of $2.0000',
  );
});
