import type { Db } from '../redis/db.ts';

/** Adds to `cost:*` what could not be added while another program's value was there. @returns how many totals are up to date now */
export function payOwed({ keys, scripts }: Db): Promise<number> {
  return scripts['pay-owed'](
    { owed: keys.owed, booked: keys.booked, costs: keys.costs, costOther: keys.cost('other') },
    [],
  );
}
