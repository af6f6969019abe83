import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { describeSkew, toHostClocks } from '../../../src/swarm/host-clocks.ts';
import { noticesOf } from '../../../src/status/notices/notices.ts';
import { snapshotWith } from '../../support/status-snapshot.ts';

const NOW = 1_764_000_000_000;

/** The connection of a process on a host whose clock is so far ahead. */
const withSkew = (skewMs: number | null) => ({
  clock: { now: () => NOW, date: () => new Date(NOW), skewMs: () => skewMs, sync: async () => undefined },
});

it.each([
  [7_800_000, '2 h 10 min ahead of Redis'],
  [-93_600_000, '1 d 2 h behind Redis'],
  [2_400, '2 s ahead of Redis'],
  [-3_600_000, '1 h behind Redis'],
  [3_605_000, '1 h 5 s ahead of Redis'],
  [0, '0 s ahead of Redis'],
])('describes %d ms as %s', (skewMs, told) => expect(describeSkew(skewMs)).toBe(told));

describe('the hosts whose clocks are off', () => {
  it('are those that live processes noted within the last minute, and this one', () => {
    const records = { east: `7800000|${NOW - 30_000}`, gone: `7800000|${NOW - 80_000}`, odd: 'x', fine: `900|${NOW}` };
    expect(toHostClocks(records, withSkew(-5_000), NOW)).toEqual(
      [
        { host: 'east', skewMs: 7_800_000 },
        { host: hostname(), skewMs: -5_000 },
      ].toSorted((a, b) => a.host.localeCompare(b.host)),
    );
    expect(toHostClocks({}, withSkew(2_000), NOW)).toEqual([]);
    expect(toHostClocks({}, withSkew(null), NOW)).toEqual([]);
  });

  it('are named in the status with what to do', () => {
    const hostClocks = [{ host: 'east\n', skewMs: 7_800_000 }];
    expect(noticesOf(snapshotWith({ hostClocks }))).toContainEqual({
      kind: 'clock',
      level: 'warning',
      label: 'Clock',
      text: "⚠ clock of east is 2 h 10 min ahead of Redis: set it with NTP; the fleet goes by Redis' clock",
    });
    expect(noticesOf(snapshotWith()).map(({ kind }) => kind)).not.toContain('clock');
  });
});
