import { expect, it } from 'vitest';
import { countNodeStates, type NodeView } from '../../../src/coordinator/mission/nodes.ts';
import { describeNotDone } from '../../../src/coordinator/mission/describe-done.ts';
import { splitCancelled } from '../../../src/status/read/queues.ts';
import { renderCompactStatus, renderStatus } from '../../../src/status/render/status.ts';
import { queueWith, snapshotWith } from '../../support/status-snapshot.ts';

it('a cancelled task is a number of its own, with the command that runs it after all', () => {
  const snapshot = snapshotWith({ queues: [queueWith({ failed: 1, cancelled: 3 })] });
  expect(renderStatus(snapshot)).toContain('1 failed | 3 cancelled\n');
  expect(renderStatus(snapshot)).toContain(
    'Cancelled:        3 tasks (fleet retry --reason cancelled runs the tasks after all)',
  );
  expect(renderCompactStatus(snapshot)).toContain('1 failed 3 cancelled |');
});

it('cancelled jobs are counted by their reasons, and above the sample by what was noted', () => {
  const reasons = [
    { queue: 'tasks', reason: 'cancelled', count: 4 },
    { queue: 'tasks', reason: 'schema', count: 2 },
    { queue: 'archive', reason: 'cancelled', count: 9 },
  ] as const;
  expect(splitCancelled(queueWith({ failed: 6, cancelled: 1 }), reasons)).toMatchObject({ failed: 2, cancelled: 4 });
  expect(splitCancelled(queueWith({ failed: 5_000, cancelled: 4_000 }), reasons)).toMatchObject({
    failed: 1_000,
    cancelled: 4_000,
  });
});

it('a mission counts its cancelled tasks apart', () => {
  const view = (state: NodeView['state'], reason = ''): NodeView => ({ state, reason }) as NodeView;
  const views = [
    view('done'),
    view('failed', 'schema: no x'),
    view('failed', 'cancelled: by a person'),
    view('skipped'),
  ];
  const counts = countNodeStates(views);
  expect(counts).toEqual({ total: 4, added: 3, done: 1, failed: 1, cancelled: 1, skipped: 1 });
  expect(describeNotDone(counts)).toEqual(['1 failed', '1 cancelled', '1 skipped']);
});
