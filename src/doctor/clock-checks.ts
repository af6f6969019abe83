import type { Db } from '../redis/db.ts';
import { describeSkew, SKEW_LIMIT_MS, toHostClocks } from '../swarm/host-clocks.ts';
import { unwell, well, type CheckResult } from './check.ts';

/** Checks the clock of this host, and of each host of a live process, against Redis'. */
export async function checkClocks(db: Db): Promise<CheckResult> {
  const { redis, keys, clock } = db;
  await clock.sync();
  const off = toHostClocks(await redis.hgetall(keys.hostClocks), db, clock.now());
  if (off.length === 0) return well('clocks', `within ${SKEW_LIMIT_MS / 1_000} s of Redis on every host`);
  const seen = off.map(({ host, skewMs }) => `${host} is ${describeSkew(skewMs)}`).join('; ');
  const fix =
    'set the clock of that host with NTP (timedatectl set-ntp true); until then the fleet goes by Redis’ clock';
  return unwell('clocks', seen, fix);
}
