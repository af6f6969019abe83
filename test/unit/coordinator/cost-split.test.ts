import { describe, expect, it } from 'vitest';
import { toCostSplit, toCostSplitJson } from '../../../src/coordinator/delegate/cost-split.ts';
import { parseLedger } from '../../../src/ledger/report/report.ts';
import { createCatalog } from '../../../src/pricing/catalog.ts';

const catalog = createCatalog([]);

const sonnet = catalog.findPrices('claude-sonnet-4-5', new Date('2026-11-21T12:00:00Z'));
const own = { calls: 2, nanoUsd: 13_500_000, usage: { input: 2_000, cache_write: 0, cache_read: 0, output: 500 } };

/** 18 Haiku tasks and 2 Sonnet tasks of 2,000 + 500 tokens, one call of the coordinator of the same size, one free question. */
const entries = parseLedger('2026-11-21', {
  's||m|claude-haiku-4-5|w|nano': String(18 * 4_500_000),
  's||m|claude-haiku-4-5|w|calls': '18',
  's||m|claude-haiku-4-5|w|tasks': '18',
  's||m|claude-haiku-4-5|w|input': '36000',
  's||m|claude-haiku-4-5|w|output': '9000',
  's||m|claude-sonnet-4-5|w|nano': String(2 * 13_500_000),
  's||m|claude-sonnet-4-5|w|tasks': '2',
  's||m|claude-sonnet-4-5|w|input': '4000',
  's||m|claude-sonnet-4-5|w|output': '1000',
  's||m|claude-sonnet-4-5|c|nano': String(13_500_000),
  's||m|claude-sonnet-4-5|c|calls': '2',
  's||m|claude-sonnet-4-5|c|input': '2000',
  's||m|claude-sonnet-4-5|c|output': '500',
  's||m|gemini-3.5-flash-lite|librarian_box_001|calls': '1', // of a version before: it counted nothing apart
  's||m|gemini-3.5-flash-lite|librarian_box_001|input': '300',
  's||m|none|w|tasks': '1', // the survey, which needs no model
  's||another|claude-haiku-4-5|w|nano': '999',
});

describe('the shares of a mission', () => {
  const shares = toCostSplit(entries, { id: 'm', own }, { sonnet, catalog });

  it('are its tasks, with the coordinator’s calls and the archive’s apart', () => {
    expect(shares.tasks).toEqual({ haiku: 18, sonnet: 2, other: 0 });
    expect(shares.tokens).toEqual({ haiku: 45_000, sonnet: 5_000, other: 0 });
    expect(shares.coordinator).toEqual({ calls: 2, tokens: 2_500, nanoUsd: 13_500_000 });
    expect(shares.archive).toEqual({ calls: 1, tokens: 300, nanoUsd: 0 });
  });

  it('cost together what the ledger says', () => {
    const { nanoUsd, coordinator, archive, costNanoUsd } = shares;
    expect(nanoUsd.haiku + nanoUsd.sonnet + nanoUsd.other + coordinator.nanoUsd + archive.nanoUsd).toBe(costNanoUsd);
    expect(costNanoUsd).toBe(18 * 4_500_000 + 3 * 13_500_000);
  });

  it('are told in decimals', () => {
    expect(toCostSplitJson(shares)).toEqual({
      delegation: { delegated_tasks: 0.9, haiku_tasks: 0.9, haiku_tokens: 0.9, haiku_cost: 0.75 },
      cost: {
        total_usd: 0.1215,
        tasks_usd: 0.108,
        coordinator_usd: 0.0135,
        archive_usd: 0,
        rework_usd: 0,
        all_sonnet_usd: 0.2835, // 42,000 × $3 + 10,500 × $15 per million: without the question
      },
      saving: { percent: 57.1, compared_with: 'Sonnet', effective_percent: 57.1 },
    });
  });

  it('are nothing where no task was done', () => {
    const none = toCostSplit(
      [],
      { id: 'm', own: { ...own, nanoUsd: 0, usage: { ...own.usage, input: 0, output: 0 } } },
      { sonnet, catalog },
    );
    expect(toCostSplitJson(none).delegation).toEqual({
      delegated_tasks: null,
      haiku_tasks: null,
      haiku_tokens: null,
      haiku_cost: null,
    });
  });

  it('count a model that nobody knows any more as another one', () => {
    const strange = parseLedger('2026-11-21', { 's||m|gone-1|w|nano': '5', 's||m|gone-1|w|tasks': '1' });
    expect(toCostSplit(strange, { id: 'm', own: { ...own, nanoUsd: 0 } }, { sonnet, catalog }).tasks.other).toBe(1);
  });
});
