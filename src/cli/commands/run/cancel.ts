import { countOf } from '../../../text/plural.ts';
import { cancelSelected } from '../../../coordinator/control/cancel.ts';
import { NotFoundError, UsageError } from '../../../errors.ts';
import { printJson } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';

export interface CancelOptions {
  batch?: string;
  json?: boolean;
}

/** Does `fleet cancel`. */
export async function runCancelCommand(ids: string[], { batch, json }: CancelOptions): Promise<void> {
  if ((ids.length === 0) === (batch === undefined)) throw new UsageError('cancel: expected job ids, or --batch');
  await withFleet(
    async ({ inner }) => {
      if (batch !== undefined) return cancelWholeBatch(inner, batch, json);
      const { ids: cancelled, refused } = await cancelSelected(inner, { ids });
      if (json) printJson({ cancelled, refused });
      else if (cancelled.length > 0) console.log(`Cancelled ${cancelled.join(', ')}.`);
      const last = refused.pop();
      if (last === undefined) return;
      for (const { message } of refused) console.error(`Error: ${message}`);
      throw last.isMissing ? new NotFoundError(last.message) : new UsageError(last.message);
    },
    { writesWhenFull: true },
  );
}

async function cancelWholeBatch(
  inner: Parameters<typeof cancelSelected>[0],
  batch: string,
  json = false,
): Promise<void> {
  const { showProgress } = await import('../../output/progress.ts');
  const progress = showProgress('Cancelling', 0, 'lines');
  const onProgress = (done: number, total: number): void => {
    progress.setTotal(total);
    progress.update(done);
  };
  const { count } = await cancelSelected(inner, { batch }, onProgress).finally(() => progress.stop());
  if (json) return printJson({ batch, cancelledCount: count });
  console.log(
    count === 0
      ? `Nothing to cancel: every task of batch ${batch} has ended.`
      : `Cancelled ${countOf(count, 'task')} of batch ${batch}; those that wait end as soon as a worker takes them.`,
  );
}
