import { createPaceExchange, type PaceExchange } from '../../../src/pacing/exchange.ts';
import { createPacer } from '../../../src/pacing/pacer.ts';
import type { PacedRow, Pacer } from '../../../src/pacing/types.ts';
import type { Db } from '../../../src/redis/db.ts';
import type { VirtualTime } from './virtual-time.ts';

export const MODEL = 'claude-haiku-5-5';
/** Name of the state in Redis. */
export const PACE_NAME = `test:${MODEL}`;

/** The pacer of one process, by virtual time. @param wrap sees each exchange, and may change it @param row of the model */
export function createVirtualPacer(
  db: Db,
  time: VirtualTime,
  wrap: (exchange: PaceExchange) => PaceExchange = (exchange) => exchange,
  row: PacedRow = {},
): Pacer {
  const toExchange = (of: Db, name: string): PaceExchange => {
    const exchange = createPaceExchange(of, name, () => time.now);
    return wrap((report) => time.outside(() => exchange(report)));
  };
  return createPacer({
    db,
    limitKeyOf: () => 'test',
    rowOf: () => row,
    log: console,
    test: { clock: time.clock, toExchange },
  });
}
