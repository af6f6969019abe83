import { describe, expect, it } from 'vitest';
import { renderCompactStatus, renderStatus } from '../../../src/status/render/status.ts';
import { missionWith, queueWith, snapshotWith, spendWith } from '../../support/status-snapshot.ts';

describe('missions in the status', () => {
  it('are not mentioned where there are none', () => {
    expect(renderStatus(snapshotWith({ queues: [queueWith({ name: 'missions' })] }))).not.toMatch(
      /Mission|Coordinator|Rework/,
    );
  });

  it('are counted by state', () => {
    const queues = [
      queueWith({ name: 'missions', active: 1, waitingForChildren: 2, waiting: 3, delayed: 1, parked: 1 }),
    ];
    expect(renderStatus(snapshotWith({ queues }))).toContain(
      'Missions:         1 running | 2 waiting for tasks | 3 in line | 2 set aside',
    );
  });

  it('are shown while they are under way: step, tasks, cost, the goal’s first words', () => {
    const missions = [
      missionWith({ id: 'm-1', step: 'plan' }),
      missionWith({
        id: 'm-2',
        goal: 'Describe the code',
        state: 'waiting',
        step: 'wait',
        tasks: { total: 40, done: 12, failed: 1, cancelled: 0, skipped: 0 },
        costNanoUsd: 12_300_000,
      }),
      missionWith({ id: 'm-3', state: 'done' }),
    ];
    const text = renderStatus(snapshotWith({ missions }));
    expect(text).toContain('  m-1  plan, $0.0000: Find out');
    expect(text).toContain('  m-2  waiting, 12 of 40 tasks done, 1 failed, $0.0123: Describe the code');
    expect(text).not.toContain('m-3');
  });

  it('that ask or are parked say why, and what lets them go on', () => {
    const missions = [
      missionWith({ id: 'm-1', state: 'asks', problem: 'two of five\nshards fail' }),
      missionWith({ id: 'm-2', state: 'parked' }),
    ];
    const text = renderStatus(snapshotWith({ missions }));
    expect(text).toMatch(/^❓ m-1 ASKS: two of five shards fail\n/);
    for (const way of ['--answer "…"', '--retry']) expect(text).toContain(`: fleet resume m-1 ${way}\n`);
    expect(text).toContain('set aside by a person (fleet resume m-2)');
  });

  it('that wait for a person are the first lines, below a halt', () => {
    const asking = ['m-2', 'm-3', 'm-4', 'm-5'].map((id) => missionWith({ id, state: 'asks', problem: 'which one?' }));
    const missions = [missionWith({ id: 'm-1', state: 'planned', problem: '' }), ...asking];
    const halt = { reason: 'budget', step: '', at: '', by: '', detail: 'limit $5' };
    const lines = renderStatus(snapshotWith({ missions, halt })).split('\n');
    expect(lines[0]).toBe('⛔ HALTED: budget');
    const heads = lines.slice(1).filter((line) => line.startsWith('❓') || line.startsWith('📊'));
    expect(heads).toEqual([
      '❓ m-1 waits for approval of its plan',
      '❓ m-2 ASKS: which one?',
      '❓ m-3 ASKS: which one?',
      '❓ and 2 more: fleet mission ls',
      '📊 SWARM STATUS',
    ]);
    expect(renderCompactStatus(snapshotWith({ missions, halt }))).toMatch(
      /^⛔ halted: budget \(fleet status\) \| ❓ m-1 waits for approval \(fleet mission m-1\) \| 📊 /,
    );
  });

  it('are a number in the one-line status', () => {
    const missions = [missionWith({ state: 'asks' }), missionWith({}), missionWith({ state: 'failed' })];
    expect(renderCompactStatus(snapshotWith({ missions }))).toContain('2 missions (1 asks)');
    expect(renderCompactStatus(snapshotWith())).not.toContain('mission');
  });
});

describe('money that is no task’s', () => {
  it('shows planning and synthesis apart', () => {
    const coordinator = { nanoUsd: 12_300_000, tokens: 4_500, calls: 2 };
    const { spend } = snapshotWith();
    const sonnet = spendWith({ nanoUsd: 20_000_000, tokens: 5_000 });
    const haiku = spendWith({ nanoUsd: 4_600_000, tokens: 40_000, tasks: 9 });
    expect(renderStatus(snapshotWith({ coordinator, spend: { ...spend, sonnet, haiku } }))).toContain(
      'Coordinator:      $0.0123 for 2 calls of its own, no tasks (in the above: 10.0% of tokens, 50.0% of cost)',
    );
  });

  it('shows what rework leaves of the saving', () => {
    const rework = { nanoUsd: 4_500_000, tasks: 1 };
    const saving = { savedPercent: 66.66, effectiveSavedPercent: 33.33 };
    expect(renderStatus(snapshotWith({ rework, saving }))).toContain(
      'Rework:           $0.0045 on 1 failed task; saved against all Sonnet: 66.7%, after rework 33.3%',
    );
    expect(renderStatus(snapshotWith({ rework, saving: { ...saving, effectiveSavedPercent: null } }))).toContain(
      'after rework none',
    );
    expect(renderStatus(snapshotWith({ rework }))).toMatch(/on 1 failed task$/m);
  });
});
