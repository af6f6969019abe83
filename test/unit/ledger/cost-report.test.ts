import { describe, expect, it } from 'vitest';
import { renderCosts } from '../../../src/ledger/report/render.ts';
import { parseLedger, toCostReport } from '../../../src/ledger/report/report.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const catalog = createCatalog([]);

const sonnet = catalog.findPrices('claude-sonnet-4-5', new Date('2026-11-21T12:00:00Z'));

/** The worked example over two days: 90 tasks on Haiku 4.5, 10 on Sonnet 4.5, each 2,000 + 500 tokens. */
const entries = [
  ...parseLedger('2026-11-20', {
    'night|docs||claude-haiku-4-5|haiku_a_001|nano': String(90 * 4_500_000),
    'night|docs||claude-haiku-4-5|haiku_a_001|calls': '120',
    'night|docs||claude-haiku-4-5|haiku_a_001|tasks': '90',
    'night|docs||claude-haiku-4-5|haiku_a_001|input': '180000',
    'night|docs||claude-haiku-4-5|haiku_a_001|output': '45000',
  }),
  ...parseLedger('2026-11-21', {
    'day||m%7C1%25|claude-sonnet-4-5|haiku_b_001|nano': String(10 * 13_500_000),
    'day||m%7C1%25|claude-sonnet-4-5|haiku_b_001|calls': '10',
    'day||m%7C1%25|claude-sonnet-4-5|haiku_b_001|tasks': '10',
    'day||m%7C1%25|claude-sonnet-4-5|haiku_b_001|input': '20000',
    'day||m%7C1%25|claude-sonnet-4-5|haiku_b_001|output': '5000',
  }),
];

describe('a cost report', () => {
  it('comes to $0.54 against $1.35, 60.0 % saved, whatever it is summed by', () => {
    for (const by of ['session', 'day', 'batch', 'mission', 'model', 'worker'] as const) {
      const { total } = toCostReport(entries, { by, sonnet, catalog });
      expect(total).toMatchObject({ costNano: 540_000_000, allSonnetNano: 1_350_000_000, tasks: 100, calls: 130 });
      expect(total.savedPercent.toFixed(1)).toBe('60.0');
    }
  });

  it.each([
    ['session', ['night', 'day']],
    ['day', ['2026-11-20', '2026-11-21']],
    ['batch', ['docs', null]],
    ['mission', [null, 'm|1%']],
    ['model', ['claude-haiku-4-5', 'claude-sonnet-4-5']],
    ['worker', ['haiku_a_001', 'haiku_b_001']],
  ] as const)('by %s has the rows %j', (by, names) => {
    expect(toCostReport(entries, { by, sonnet, catalog }).rows.map((row) => row.name)).toEqual(names);
  });

  it('can be limited to one batch', () => {
    const report = toCostReport(entries, { by: 'model', sonnet, catalog, only: { batch: 'docs' } });
    expect(report.rows.map((row) => row.name)).toEqual(['claude-haiku-4-5']);
    expect(report.total.tasks).toBe(90);
  });

  it('passes over what a newer version may have added', () => {
    expect(parseLedger('2026-11-21', { 's||||w|x|nano': '5', odd: '1', 's||||w|nano': 'many' })).toEqual([]);
    expect(parseLedger('2026-11-21', { 's||||w|carbon': '5' })).toMatchObject([{ nano: 0, calls: 0 }]);
  });
});

describe('client and shard', () => {
  /** An older version's row, and rows of this one with both, and with one of them. */
  const mixed = parseLedger('2026-11-21', {
    's|b||claude-haiku-4-5|w|nano': '1',
    's|b||claude-haiku-4-5|w|tasks': '1',
    's|b||claude-haiku-4-5|w|ann|docs|nano': '20',
    's|b||claude-haiku-4-5|w|ann|docs|rework_nano': '5',
    's|b||claude-haiku-4-5|w|ann|docs|list_nano': '7',
    's|b||claude-haiku-4-5|w|ann||nano': '300',
    's|b||claude-haiku-4-5|w||docs|nano': '4000',
  });
  const by = (dimension: 'client' | 'shard' | 'batch') =>
    toCostReport(mixed, { by: dimension, sonnet, catalog }).rows.map(({ name, costNano }) => [name, costNano]);

  it('are dimensions, beside rows that have neither', () => {
    expect(by('client')).toEqual([
      [null, 4_001],
      ['ann', 320],
    ]);
    expect(by('shard')).toEqual([
      ['docs', 4_020],
      [null, 301],
    ]);
    expect(by('batch')).toEqual([['b', 4_321]]);
  });

  it('have their rework and free calls, and can be asked for together', () => {
    const [ann] = toCostReport(mixed, { by: 'client', sonnet, catalog, only: { client: 'ann', shard: 'docs' } }).rows;
    expect(ann).toMatchObject({ name: 'ann', costNano: 20, reworkNano: 5, freeListNano: 7 });
  });
});

describe('work of outside workers', () => {
  const measured = {
    's||m|claude-haiku-4-5|w|nano': '4500000',
    's||m|claude-haiku-4-5|w|calls': '1',
    's||m|claude-haiku-4-5|w|tasks': '1',
    's||m|claude-haiku-4-5|w|input': '2000',
    's||m|claude-haiku-4-5|w|output': '500',
  };
  const outside = parseLedger('2026-11-21', {
    ...measured,
    's||m|outside|bob|unmetered_tasks': '2',
    's||m|outside|bob|unmetered_input': '30000',
    's||m|outside|bob|unmetered_output': '400',
    's||m|outside|bob|unmetered_nano': '9000000',
    's||m|outside|bob|unmetered_later': '1',
  });

  it('changes no other sum: it is no cost, no task and no saving', () => {
    const { unmetered, ...total } = toCostReport(outside, { by: 'mission', sonnet, catalog }).total;
    const { unmetered: none, ...without } = toCostReport(parseLedger('2026-11-21', measured), {
      by: 'mission',
      sonnet,
      catalog,
    }).total;
    expect(total).toEqual(without);
    expect(unmetered).toEqual({ tasks: 2, inputTokens: 30_000, outputTokens: 400, costNano: 9_000_000 });
    expect(none).toEqual({ tasks: 0, inputTokens: 0, outputTokens: 0, costNano: 0 });
  });

  it('has columns of its own where there is any', () => {
    expect(renderCosts(toCostReport(outside, { by: 'worker', sonnet, catalog }))).toBe(
      [
        'worker  tasks  calls  prompt  output     cost  all Sonnet   saved  unmetered  tokens   stated',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'w           1      1   2,000     500  $0.0045     $0.0135  66.7 %          0       0  $0.0000',
        'bob         0      0       0       0  $0.0000     $0.0000   0.0 %          2  30,400  $0.0090',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'total       1      1   2,000     500  $0.0045     $0.0135  66.7 %          2  30,400  $0.0090',
        '"all Sonnet": the same tokens at the prices of claude-sonnet-4-5',
        '"unmetered": tasks of outside workers, with the tokens and dollars that they state; no other column counts them',
      ].join('\n'),
    );
  });
});

describe('rework', () => {
  /** One Haiku task that ended well and one that failed, each 2,000 + 500 tokens. */
  const withFailure = parseLedger('2026-11-21', {
    's||m|claude-haiku-4-5|w|nano': String(2 * 4_500_000),
    's||m|claude-haiku-4-5|w|calls': '2',
    's||m|claude-haiku-4-5|w|tasks': '1',
    's||m|claude-haiku-4-5|w|input': '4000',
    's||m|claude-haiku-4-5|w|output': '1000',
    's||m|claude-haiku-4-5|w|rework_nano': '4500000',
    's||m|claude-haiku-4-5|w|rework_tasks': '1',
    's||m|claude-haiku-4-5|w|rework_input': '2000',
    's||m|claude-haiku-4-5|w|rework_output': '500',
  });

  it('counts as spent, and its tokens not as saved work', () => {
    const { total } = toCostReport(withFailure, { by: 'mission', sonnet, catalog });
    expect(total).toMatchObject({ costNano: 9_000_000, reworkNano: 4_500_000, reworkTasks: 1, tasks: 1 });
    expect(total.savedPercent.toFixed(1)).toBe('66.7'); // 0.009 against 0.027
    expect(total.effectiveSavedPercent?.toFixed(1)).toBe('33.3'); // 0.009 against 0.0135
  });

  it('is no percentage where money was spent and nothing came of it', () => {
    const lost = parseLedger('2026-11-21', {
      's||m|claude-haiku-4-5|w|nano': '9',
      's||m|claude-haiku-4-5|w|rework_nano': '9',
    });
    expect(toCostReport(lost, { by: 'mission', sonnet, catalog }).total.effectiveSavedPercent).toBeNull();
  });

  it('is the saving itself where nothing failed', () => {
    const { total } = toCostReport(entries, { by: 'mission', sonnet, catalog });
    expect(total.effectiveSavedPercent).toBe(total.savedPercent);
  });

  it('has columns of its own where there is any', () => {
    expect(renderCosts(toCostReport(withFailure, { by: 'mission', sonnet, catalog }))).toBe(
      [
        'mission  tasks  calls  prompt  output     cost  all Sonnet   saved   rework  effective',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'm            1      2   4,000   1,000  $0.0090     $0.0270  66.7 %  $0.0045     33.3 %',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'total        1      2   4,000   1,000  $0.0090     $0.0270  66.7 %  $0.0045     33.3 %',
        '"all Sonnet": the same tokens at the prices of claude-sonnet-4-5',
        '"effective": rework, spent on tasks that failed or were handed back, is no work saved',
      ].join('\n'),
    );
  });
});

describe('the cache', () => {
  /** Ten tasks on Haiku 5.5: the first wrote a prefix of 4,000 tokens, and the others read it. */
  const cached = parseLedger('2026-11-21', {
    's|docs||claude-haiku-5-5|w|nano': '5000000',
    's|docs||claude-haiku-5-5|w|calls': '10',
    's|docs||claude-haiku-5-5|w|tasks': '10',
    's|docs||claude-haiku-5-5|w|input': '5000',
    's|docs||claude-haiku-5-5|w|cache_write': '4000',
    's|docs||claude-haiku-5-5|w|cache_read': '36000',
    's|docs||claude-haiku-5-5|w|output': '2000',
  });

  it('saves what its reads would have cost, less what its writes cost more', () => {
    const { total } = toCostReport(cached, { by: 'batch', sonnet, catalog });
    expect(total.cacheSavedNano).toBe(36_000 * (100 - 10) - 4_000 * (125 - 100));
  });

  it('has saved less than nothing where nobody read what was written', () => {
    const written = parseLedger('2026-11-21', { 's||||w|nano': '1', 's|||claude-haiku-5-5|w|cache_write': '1000' });
    expect(toCostReport(written, { by: 'model', sonnet, catalog }).total.cacheSavedNano).toBe(-25_000);
  });

  it('saves nothing that is known on a model without a price', () => {
    const other = parseLedger('2026-11-21', { 's|||model-b|w|cache_read': '1000', 's||||w|cache_read': '1000' });
    expect(toCostReport(other, { by: 'model', sonnet, catalog }).total.cacheSavedNano).toBe(0);
  });

  it('has columns of its own where there is any', () => {
    expect(
      renderCosts(toCostReport(cached, { by: 'batch', sonnet, catalog }))
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      'batch  tasks  calls  prompt  written    read  output     cost  all Sonnet   saved  by cache',
      '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
      'docs      10     10  45,000    4,000  36,000   2,000  $0.0050     $0.0708  92.9 %   $0.0031',
    ]);
  });
});

describe('the table', () => {
  it('aligns its columns and says what it compares with', () => {
    expect(renderCosts(toCostReport(entries, { by: 'model', sonnet, catalog }))).toBe(
      [
        'model              tasks  calls   prompt  output     cost  all Sonnet   saved',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'claude-haiku-4-5      90    120  180,000  45,000  $0.4050     $1.2150  66.7 %',
        'claude-sonnet-4-5     10     10   20,000   5,000  $0.1350     $0.1350   0.0 %',
        '━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━',
        'total                100    130  200,000  50,000  $0.5400     $1.3500  60.0 %',
        '"all Sonnet": the same tokens at the prices of claude-sonnet-4-5',
      ].join('\n'),
    );
  });

  it('says so when nothing has been spent', () => {
    expect(renderCosts(toCostReport([], { by: 'day', sonnet, catalog }))).toBe('Nothing has been spent yet.');
  });
});
