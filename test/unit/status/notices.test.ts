import { describe, expect, it } from 'vitest';
import { noticesOf } from '../../../src/status/notices/notices.ts';
import { queueWith, snapshotWith } from '../../support/status-snapshot.ts';

const kindsOf = (...args: Parameters<typeof snapshotWith>) => noticesOf(snapshotWith(...args)).map(({ kind }) => kind);

describe('noticesOf', () => {
  it('has none for a quiet fleet', () => {
    expect(noticesOf(snapshotWith())).toEqual([]);
  });

  it('gives the command that resolves a notice', () => {
    expect(noticesOf(snapshotWith({ tasksWithoutWorker: 4 }))).toEqual([
      { kind: 'unattended', level: 'warning', label: 'No worker for', text: '4 waiting tasks', command: 'fleet up' },
    ]);
  });

  it('gives each group of parked jobs a command of its own', () => {
    const [notice, ...more] = noticesOf(
      snapshotWith({
        parked: [
          { scope: 'batch', name: 'nightly', count: 12 },
          { scope: 'task', name: null, count: 1 },
        ],
      }),
    );
    expect(more).toEqual([]);
    expect(notice?.text).toBe('12 batch nightly | 1 task');
    expect(notice?.items).toEqual([
      { text: '12 batch nightly', command: 'fleet budget USD --batch nightly' },
      { text: '1 task', command: 'fleet budget USD --task NAME' },
    ]);
  });

  it('counts rules, and names parked chains and what keeps a rule from working', () => {
    const line = { match: 'topic a', fired: 7, firedToday: 2, costNanoUsd: 0, limitNanoUsd: null, lastFiredAt: null };
    const lines = [
      { ...line, name: 'mend', state: 'active' as const, problem: null, parked: 3 },
      { ...line, name: 'tell', state: 'paused' as const, problem: 'its task breaks\na rule', parked: 0 },
    ];
    expect(noticesOf(snapshotWith({ rules: { total: 2, parked: 3, lines } }))).toMatchObject([
      { label: 'Rules', level: 'info', text: '2 (1 paused), fired 4 today, 14 in all', command: 'fleet when ls' },
      { label: 'Parked: chains', text: '3 of mend', command: 'fleet when show mend' },
      { label: 'Rule tell', level: 'warning', text: 'its task breaks a rule', command: 'fleet when resume tell' },
    ]);
  });

  it('reports a pause only while no halt is its cause', () => {
    const queues = [queueWith({ paused: true })];
    expect(kindsOf({ queues })).toEqual(['paused']);
    const halt = { reason: 'budget', step: '', at: '', by: '', detail: '' };
    expect(kindsOf({ queues, halt })).toEqual([]);
  });

  it('warns of a budget only when it is used up', () => {
    const levelAt = (settledNanoUsd: number) => {
      const budget = { day: '2025-11-21', limitNanoUsd: 100, settledNanoUsd, reservedNanoUsd: 0, uncertainNanoUsd: 0 };
      return noticesOf(snapshotWith({ budget })).map(({ level }) => level);
    };
    expect(levelAt(99)).toEqual(['info']);
    expect(levelAt(100)).toEqual(['warning']);
  });

  it('keeps control characters out of every text', () => {
    const name = 'a\nb\u001b[2J';
    const notices = noticesOf(
      snapshotWith({
        parked: [
          { scope: 'batch', name, count: 1 },
          { scope: 'parked-mission', name, count: 1 },
        ],
        compaction: { state: 'stuck', limit: 5_000, problem: name },
      }),
    );
    expect(notices).toHaveLength(3);
    expect(JSON.stringify(notices)).not.toMatch(/\\n|\\u001b/);
  });

  it('a host with more trees of ended tasks than its bound is named', () => {
    const host = { host: 'box', at: 0, trees: 30, bytes: 1, left: 21, withWork: 3, keep: 20 };
    expect(kindsOf({ treeHosts: [{ ...host, left: 20 }] })).not.toContain('trees');
    expect(noticesOf(snapshotWith({ treeHosts: [host] }))).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        text: 'box: 21 trees of ended tasks (bound 20), 3 of them with work that no commit holds',
        command: 'fleet worktrees',
      }),
    );
  });
});
