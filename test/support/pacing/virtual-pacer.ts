import { createPaceExchange, type PaceExchange } from '../../../src/pacing/exchange.ts';
import { createPacer } from '../../../src/pacing/pacer.ts';
import type { Pacer } from '../../../src/pacing/types.ts';
import type { Db } from '../../../src/redis/db.ts';
import type { VirtualTime } from './virtual-time.ts';

export const MODEL = 'claude-haiku-5-5';
/** Name of the state in Redis. */
export const PACE_NAME = `test:${MODEL}`;

/** The pacer of one process, by virtual time. @param wrap sees each exchange, and may change it */
export function createVirtualPacer(
  db: Db,
  time: VirtualTime,
  wrap: (exchange: PaceExchange) => PaceExchange = (exchange) => exchange,
): Pacer {
  const toExchange = (of: Db, name: string): PaceExchange => {
    const exchange = createPaceExchange(of, name, () => time.now);
    return wrap((report) => time.outside(() => exchange(report)));
  };
  const pacer = createPacer({ db, limitKey: 'test', log: console, test: { clock: time.clock, toExchange } });
  if (pacer === null) throw new Error('a limit key makes a pacer');
  return pacer;
}
