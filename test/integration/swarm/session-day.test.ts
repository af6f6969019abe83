import { expect, it } from 'vitest';
import { toLocalDay } from '../../../src/findings/timestamp.ts';
import { beginSession } from '../../../src/swarm/session.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const redis = useRedis();
const HOUR_MS = 3_600_000;

/** A process of a host whose local day is this one begins or keeps the session of the day. */
function begin(localDay: string): Promise<string> {
  const { keys, db } = redis;
  return db.scripts['current-session'](
    {
      session: keys.session,
      costs: keys.costs,
      costOther: keys.cost('other'),
      booked: keys.booked,
      totals: keys.sessionTotals(localDay),
    },
    [localDay, new Date().toISOString(), ''],
  );
}

/** The name of the day so many hours from now, in UTC. */
const dayIn = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString().slice(0, 10);

it('of hosts in several time zones begins once a day', async () => {
  const [west, east] = [dayIn(-12), dayIn(14)];
  expect(west).not.toBe(east);
  expect(await begin(west)).toBe(west);
  expect(await begin(east)).toBe(east);
  await redis.redis.set(redis.keys.cost('haiku'), '1.5');
  expect(await begin(west)).toBe(east);
  expect(await redis.redis.get(redis.keys.cost('haiku'))).toBe('1.5');
});

it('that a host with a wrong clock has begun days ahead ends', async () => {
  expect(await begin(dayIn(72))).toBe(dayIn(72)); // as a version did that went by the host's clock
  expect(await beginSession(redis.db, '')).toBe(toLocalDay(new Date()));
});
