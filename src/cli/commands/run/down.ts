import { countOf } from '../../../text/plural.ts';
import { bringDown } from '../../../pm2/down.ts';
import { readConfig } from '../../input/read-config.ts';
import type { Changer } from '../../../pm2/change-turn.ts';
import { describeOther, showWaiting } from '../../output/progress.ts';

/** Does `fleet down`. */
export async function runDownCommand(options: { now?: boolean }): Promise<void> {
  const waiting = showWaiting();
  const onEnded = (left: number, total: number): void =>
    waiting.update(`Waiting for running model calls to end and be stored; ${left} of ${total} processes still up`);
  const onWait = (other: Changer): void => waiting.update(describeOther(other));
  const now = options.now ?? false;
  const count = await bringDown(readConfig(), { now, onEnded, onWait }).finally(waiting.stop);
  console.log(
    count === 0
      ? 'Nothing was running.'
      : `Ended ${countOf(count, 'process', 'processes')}; everything waiting stays in Redis.`,
  );
}
