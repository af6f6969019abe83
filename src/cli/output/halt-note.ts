import { describeHalt, readHalt } from '../../halt/halt.ts';
import type { Db } from '../../redis/db.ts';
import { fitLine, lineWidth } from './print.ts';

/** Notes beside a list of work, on the error output, that a halt holds what of it has not ended. */
export async function noteHalt(db: Db): Promise<void> {
  const halt = await readHalt(db);
  if (halt === null) return;
  const rest = 'nothing begins until it is lifted; fleet status shows the ways out';
  console.error(`⛔ The fleet is halted (${fitLine(describeHalt(halt), lineWidth())}): ${rest}`);
}
