import { describe, expect, it } from 'vitest';
import { renderCompactStatus, renderStatus } from '../../../src/status/render/status.ts';
import { queueWith, shardWith, snapshotWith, spendWith, workerWith } from '../../support/status-snapshot.ts';

const NANO = 1_000_000;

const busy = snapshotWith({
  findings: { live: 8, sinceSession: 1, partialSinceSession: 0, toolErrorsSinceSession: 0, contextTokens: 800 },
  workers: [workerWith('haiku_box_001')],
  shards: [
    shardWith({ shard: 1, state: 'ok', left: 1500 }),
    shardWith({ shard: 2, state: 'ok', left: 1500 }),
    shardWith({ shard: 3, state: 'failing', left: 1480 }),
    shardWith({ shard: 4, state: 'exhausted', left: 0 }),
    shardWith({ shard: 5, state: 'no-key', left: 1500 }),
  ],
  queues: [queueWith({ active: 1 })],
  spend: {
    sonnet: spendWith({ nanoUsd: 4.5 * NANO, tasks: 8, tokens: 186 }),
    haiku: spendWith({ nanoUsd: 2.3 * NANO, tasks: 92, tokens: 814 }),
    gemini: spendWith({}),
    other: spendWith({}),
  },
});

/** A model that was called and is not limited. */
const idle = {
  key: 'a1b2c3d4e5f6',
  calls: 0,
  waiting: { begun: 0, fresh: 0 },
  atOnce: null,
  heldForMs: 0,
  limits: [],
  learned: null,
};

describe('renderStatus', () => {
  it('prints the block of the contract', () => {
    expect(renderStatus(busy)).toBe(
      [
        '📊 SWARM STATUS',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'Redis Context:    8 findings (+1), ~800 tokens',
        'Active Workers:   1 Haiku (haiku_box_001), 20 slots',
        'Librarians:       S1:1500✅ | S2:1500✅ | S3:1480⚠️ | S4:0❌ | S5:–',
        'Tasks:            0 waiting | 1 active | 0 delayed | 0 failed',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'Cost This Session:',
        '  Sonnet:  $0.0045',
        '  Haiku:   $0.0023',
        '  Gemini:  $0.0000',
        '  Total:   $0.0068',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'Token Efficiency: ✅',
        '  Haiku:   92.0% of tasks (target: 90%+) | 81.4% of tokens | 33.8% of cost',
        '  Sonnet:   8.0% of tasks',
      ].join('\n'),
    );
  });

  it('judges nothing while there is no task yet', () => {
    expect(renderStatus(snapshotWith())).toContain('Token Efficiency: –\n  Haiku:       – of tasks');
    expect(renderCompactStatus(snapshotWith())).toContain('no tasks done');
  });

  it('warns below nine of ten tasks', () => {
    const spend = { ...busy.spend, sonnet: spendWith({ tasks: 11 }), haiku: spendWith({ tasks: 89 }) };
    expect(renderStatus({ ...busy, spend })).toContain('Token Efficiency: ⚠️');
  });

  it('says that no librarian is configured', () => {
    expect(renderStatus(snapshotWith())).toContain('Librarians:       none configured');
  });

  it('shows what is used of the limit that binds, of each model whose provider states one', () => {
    const text = renderStatus(
      snapshotWith({
        pacing: [
          {
            ...idle,
            model: 'claude-haiku-5-5',
            limits: [
              { kind: 'requests', perMinute: 1_000, used: 40, left: 960, from: 'provider' },
              { kind: 'input', perMinute: 2_000_000, used: 1_440_000, left: 560_000, from: 'provider' },
              { kind: 'input', perMinute: 9_000_000, used: 1_440_000, left: 7_560_000, from: 'row' },
            ],
          },
          {
            ...idle,
            model: 'claude-sonnet-5-5',
            waiting: { begun: 1, fresh: 2 },
            limits: [{ kind: 'output', perMinute: 10_000, used: 9_900, left: 100, from: 'row' }],
          },
          { ...idle, model: 'local', limits: [] },
          { ...idle, model: 'llama', calls: 3, atOnce: 4, limits: [] },
        ],
      }),
    );
    expect(text).toContain(
      'Limits:           Haiku 72 % of 2.0M tokens a minute | Sonnet 99 % of 10k output tokens a minute (3 wait) | llama 3 of 4 calls at once\n',
    );
    expect(renderStatus(snapshotWith())).not.toContain('Limits:');
  });

  it('names models of the same family by their ids', () => {
    const limits = [{ kind: 'requests', perMinute: 100, used: 7, left: 93, from: 'provider' } as const];
    const pacing = ['claude-haiku-4-5', 'claude-haiku-5-5'].map((model) => ({ ...idle, model, limits }));
    expect(renderStatus(snapshotWith({ pacing }))).toContain(
      'claude-haiku-4-5 7 % of 100 calls a minute | claude-haiku-5-5 7 % of 100 calls a minute\n',
    );
  });

  it('says why the fleet is halted, since when, and each way out', () => {
    const halt = {
      reason: 'budget',
      step: 'task abc',
      at: '2025-11-21T10:00:00Z',
      by: '',
      detail: 'limit $5',
    };
    const text = renderStatus(snapshotWith({ halt }));
    expect(text).toMatch(/^⛔ HALTED since 2025-11-21T10:00:00Z: budget\n/);
    expect(text).toContain('task abc');
    expect(text).toContain('fleet budget USD && fleet resume');
  });

  it('offers a paper halted by a shard its three choices', () => {
    const halt = { reason: 'shard', step: 'section 2', at: '', by: '', detail: 'shard 3' };
    const text = renderStatus(snapshotWith({ halt }));
    for (const choice of ['--retry', '--skip-gemini', 'fleet park']) expect(text).toContain(choice);
  });

  it('says apart what a person set aside, with the command that lets it go on', () => {
    const text = renderStatus(snapshotWith({ parked: [{ scope: 'parked-mission', name: 'mission-a', count: 3 }] }));
    expect(text).toContain('Parked: person    3 jobs of mission-a (fleet resume mission-a)');
    expect(text).not.toContain('Parked: budget');
  });

  it('names the mission that halted the fleet in every choice that is its own', () => {
    const halt = { reason: 'malformed', step: 'section 2', at: '', by: 'w', detail: '', mission: 'mission-a' };
    const text = renderStatus(snapshotWith({ halt }));
    for (const command of ['fleet resume mission-a --skip-gemini', 'fleet park mission-a'])
      expect(text).toContain(command);
  });

  it('adds a line for each kind of trouble, and only then', () => {
    const text = renderStatus(
      snapshotWith({
        queues: [queueWith({ parked: 12, failed: 3 })],
        parked: [{ scope: 'batch', name: 'nightly', count: 12 }],
        failed: [
          { queue: 'tasks', reason: 'schema', count: 2 },
          { queue: 'archive', reason: 'schema', count: 1 },
        ],
        counters: { recoveries: 2, waits_rate_limit: 7 },
        uncertain: { callCount: 1, todayNanoUsd: 1_200_000 },
        cooling: [
          { model: 'claude-haiku-5-5', forMs: 11_200, isForMoney: false },
          { model: 'claude-sonnet-5-5', forMs: 60_000, isForMoney: true },
        ],
        tasksWithoutWorker: 4,
        questionsWithoutLibrarian: 1,
        missionsWithoutCoordinator: 2,
      }),
    );
    expect(text).toContain('Parked: budget    12 batch nightly');
    expect(text).toContain('Failed:           3 schema');
    expect(text).toContain('Recoveries:       2');
    expect(text).toContain('waits rate limit: 7');
    expect(text).toContain('Uncertain cost:   $0.0012 today; so far 1 call ended before its answer was stored');
    expect(text).toContain('Cooling:          claude-haiku-5-5 for 12 s');
    expect(text).toContain('claude-sonnet-5-5: uncertain cost of $0.0012 fills the day');
    expect(text).toContain('No worker for:    4 waiting tasks');
    expect(text).toContain('No librarian:     1 waiting question (fleet up)');
    expect(text).toContain('No coordinator:   2 waiting missions (fleet up)');
    expect(renderStatus(snapshotWith())).not.toMatch(
      /Parked|Failed:|Recoveries|Uncertain|Cooling|No worker|No librarian|No coordinator/,
    );
  });

  it('shows the budget and what other programs added', () => {
    const text = renderStatus(
      snapshotWith({
        budget: {
          day: '2025-11-21',
          limitNanoUsd: 5_000 * NANO,
          settledNanoUsd: 1_000 * NANO,
          reservedNanoUsd: 250 * NANO,
          uncertainNanoUsd: 0,
        },
        spend: { ...busy.spend, haiku: spendWith({ nanoUsd: 1_500 * NANO, externalNanoUsd: 500 * NANO }) },
      }),
    );
    expect(text).toContain('Budget Today:     $1.2500 of $5.0000 (25.0%), $0.2500 of it reserved');
    expect(text).toContain('External cost:    haiku $0.5000');
  });

  it('keeps control characters of a provider out of the terminal', () => {
    const halt = { reason: 'bad\u001b[2J\nthing', step: '', at: '', by: '', detail: '' };
    expect(renderStatus(snapshotWith({ halt }))).not.toContain('\u001b');
  });

  it('uses colours only where asked', () => {
    expect(renderStatus(busy, { colour: true })).toContain('\u001b[');
    expect(renderStatus(busy)).not.toContain('\u001b[');
  });
});

describe('renderCompactStatus', () => {
  it('is one line that names a halt', () => {
    const halt = { reason: 'account\nrefused', step: '', at: '', by: '', detail: '' };
    const text = renderCompactStatus({ ...busy, halt });
    expect(text).not.toContain('\n');
    expect(text).toContain('8 findings (+1)');
    expect(text).toContain('$0.0068');
    expect(text).toContain('halted: account refused');
  });
});
