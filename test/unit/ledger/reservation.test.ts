import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseReservation, toStampText } from '../../../src/ledger/reservation.ts';

const ID = 'task-1#0:3#haiku_box_001#1764137000000.ab12cd34';

it('reads a reservation of an older version, which held no stamp', () => {
  expect(parseReservation(ID, '700|1764137000000|{fleet}:spend:day:2026-11-26|{fleet}:spend:batch:nightly')).toEqual({
    id: ID,
    jobId: 'task-1',
    turn: '3',
    workerId: 'haiku_box_001',
    reservedAt: 1_764_137_000_000,
    nanoUsd: 700,
    reported: null,
    scopes: ['{fleet}:spend:day:2026-11-26', '{fleet}:spend:batch:nightly'],
    stamp: null,
  });
});

it('reads the stamp of any names, and what a broken stream had reported', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.option(fc.string(), { nil: undefined }), (session, row, apart) => {
      const stamp = { vendor: 'haiku' as const, row, session, model: 'm', ...(apart === undefined ? {} : { apart }) };
      const text = toStampText(stamp);
      expect(text).not.toContain('|');
      const read = parseReservation(ID, `600|1|+100,1,2,3,4|=${text}|spend:day:d`);
      expect(read).toMatchObject({ stamp, nanoUsd: 600, scopes: ['spend:day:d'] });
      expect(read.reported).toEqual({ nanoUsd: 100, usage: { input: 1, cache_write: 2, cache_read: 3, output: 4 } });
    }),
  );
});

it('takes a damaged stamp for none', () => {
  expect(parseReservation(ID, '1|1|={|spend:day:d')).toMatchObject({ stamp: null, scopes: ['spend:day:d'] });
});

it('reads the job of an id with a # in it', () => {
  expect(parseReservation('a#b#0:plan#w#1.x', '1|1|s')).toMatchObject({ jobId: 'a#b', turn: 'plan', workerId: 'w' });
});
