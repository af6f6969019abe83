import { expect, test } from 'vitest';
import { describeNow, describeParkedOf, renderBatch } from '../../../src/cli/output/batch.ts';
import type { AwaitedReason } from '../../../src/jobs/wake/reason.ts';
import { parseMember, parseReasonName, toMember, toReasonName } from '../../../src/jobs/wake/reason.ts';
import { noticesOf } from '../../../src/status/notices/notices.ts';
import { snapshotWith } from '../../support/status-snapshot.ts';

const WAITS: AwaitedReason[] = [
  { reason: { kind: 'money', scope: 'batch', name: 'nightly:2' }, count: 39 },
  { reason: { kind: 'model', model: 'claude-haiku-5-5' }, count: 1 },
  { reason: { kind: 'shards' }, count: 2 },
];

/** Of a budget of two dollars. */
const HELD = { limit: 2e9, settled: 1.9e9, reserved: 0.09e9, uncertain: 0 };

test.each(WAITS)('the name of a reason holds all of it: $reason', ({ reason }) => {
  expect(parseReasonName(toReasonName(reason))).toEqual(reason);
});

test('a noted job keeps an id with any character', () => {
  const job = { queue: 'tasks', jobId: 'a|b:c-1', worstNanoUsd: 12 };
  expect(parseMember(toMember(job))).toEqual(job);
  expect(parseReasonName('of a later version')).toBe(null);
});

test('the status says how many jobs wait, and for what', () => {
  expect(noticesOf(snapshotWith({ waits: WAITS }))).toContainEqual({
    kind: 'waits',
    level: 'info',
    label: 'Delayed',
    command: 'fleet budget USD --batch nightly:2',
    hint: 'raises it',
    items: [expect.objectContaining({ command: 'fleet budget USD --batch nightly:2' })],
    text: '39 jobs for money that calls under way hold (budget of batch nightly:2) | 1 job for claude-haiku-5-5 to be free again | 2 jobs for a shard with room',
  });
  expect(noticesOf(snapshotWith()).map(({ kind }) => kind)).not.toContain('waits');
});

test('the status says what is spent and reserved of a budget that jobs wait for, and what raises it', () => {
  const [delayed] = noticesOf(
    snapshotWith({ waits: [{ reason: { kind: 'money', scope: 'day', name: '' }, count: 4, budget: HELD }] }),
  );
  expect(delayed).toMatchObject({
    text: '4 jobs for money that calls under way hold (budget of the day: $2.0000, $1.9000 spent, $0.0900 reserved, $0.0100 left)',
    command: 'fleet budget USD',
  });
  const [parked] = noticesOf(snapshotWith({ parked: [{ scope: 'batch', name: 'b', count: 3, budget: HELD }] }));
  expect(parked?.text).toBe('3 batch b ($2.0000, $1.9000 spent, $0.0900 reserved, $0.0100 left)');
});

test('a batch says how many of its tasks wait, for what, and how many are parked', () => {
  const batch = {
    batch: 'nightly',
    session: 's',
    createdAt: '',
    lines: 200,
    tasks: 200,
    completed: 61,
    partial: 0,
    toolErrors: 0,
    failed: 0,
    cancelled: 0,
    parked: 60,
    waits: [{ reason: { kind: 'money', scope: 'batch', name: 'nightly' }, count: 39, budget: HELD } as const],
    pace: { perMinute: 20, leftMs: 417_000 },
    settledNanoUsd: 0,
    uncertainNanoUsd: 0,
    limitNanoUsd: null,
  };
  expect(renderBatch(batch)).toContain(
    '139 to do (39 wait for money that calls under way hold (budget of batch nightly: $2.0000, $1.9000 spent, $0.0900 reserved, $0.0100 left), 60 parked)',
  );
  expect(renderBatch(batch)).toContain('\nRaise:   fleet budget USD --batch nightly');
  const now = describeNow({ ...batch, failed: 1, cancelled: 2 });
  expect(now).toMatch(
    /^1 failed, 2 cancelled, 20 a minute, about 7 min left, 39 wait for money .*, 60 parked, fleet budget USD --batch nightly$/,
  );
  expect(renderBatch(batch)).toContain('\nPace:    20 a minute, about 7 min left\n');
});

test('what parked tasks wait for is named with the command that releases each', () => {
  expect(
    describeParkedOf('nightly', [
      { scope: 'batch', name: 'nightly', count: 3 },
      { scope: 'parked-mission', name: 'mission-a', count: 2 },
      { scope: 'unknown', name: null, count: 1 }, // damaged
      ...['1', '2', '3', '4'].map((name) => ({ scope: 'task', name, count: 1 })),
    ]),
  ).toEqual([
    '3 tasks wait for a higher budget: fleet budget USD --batch nightly',
    '2 tasks wait for a person: fleet resume mission-a',
    '1 task waits for a higher budget: fleet budget USD --batch nightly',
    '1 task waits for a higher budget: fleet budget USD --task 1',
    '1 task waits for a higher budget: fleet budget USD --task 2',
    'and 2 more tasks: fleet jobs --batch nightly --state parked',
  ]);
});
