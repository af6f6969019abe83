import { describe, expect, it } from 'vitest';
import { renderShards } from '../../../src/cli/commands/run/limits.ts';
import type { ShardState } from '../../../src/librarian/gate/shard-states.ts';

function stateWith(changes: Partial<ShardState>): ShardState {
  return {
    shard: 1,
    project: null,
    state: 'ok',
    left: 1_500,
    perDay: 1_500,
    perWindow: 15,
    tokensPerWindow: 250_000,
    starts: 0,
    tokens: 0,
    stated: [],
    closedForMs: 0,
    lastError: null,
    resetsAt: '2026-11-22T08:00:00.000Z',
    ...changes,
  };
}

describe('renderShards', () => {
  it('says what to set where no shard is configured', () => {
    expect(renderShards([], { pacing: false, width: 100 })).toContain('GEMINI_API_KEY_SHARD1');
  });

  it('shows quota, pace, status, project and last error of each, and the day as a whole', () => {
    const shards = [
      stateWith({ left: 1_480, starts: 3, tokens: 1_200, project: 'a' }),
      stateWith({ shard: 2, left: 1_480, project: 'a' }),
      stateWith({
        shard: 3,
        state: 'exhausted',
        left: 0,
        perDay: 500,
        stated: [{ scope: 'day', limit: 500, day: '2026-11-21' }],
      }),
      stateWith({
        shard: 4,
        state: 'refused',
        closedForMs: 599_400,
        lastError: { message: 'API key\nnot valid', at: '2026-11-21T10:00:00.000Z' },
      }),
    ];
    expect(renderShards(shards, { pacing: true, width: 100 }).split('\n')).toEqual([
      'SHARD  LEFT TODAY  THIS MINUTE       TOKENS  PROJECT  STATUS',
      'S1      1480/1500         3/15  1200/250000  a        ✅ ok',
      'S2      1480/1500         0/15     0/250000  a        ✅ ok',
      'S3          0/500         0/15     0/250000  –        ❌ day used up',
      'S4      1500/1500         0/15     0/250000  –        ⚠️ key refused 600 s',
      'S3: the provider allows 500 requests a day (said on 2026-11-21)',
      'S4: 2026-11-21T10:00:00.000Z API key not valid',
      '2,980 calls left today; the day ends at midnight Pacific, 2026-11-22 08:00 UTC; spread over the day',
    ]);
  });
});
