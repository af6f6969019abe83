/**
 * An outside worker: claims tasks that were added with `for: 'outside'` or `any`, does them, and reports what it found.
 *
 *   fleet task "Count the words of README.md" --for outside
 *   node dist/examples/outside-worker.js my-agent
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectFleet, LeaseLostError, type OutsideTask } from 'haiku-fleet';

const [as = 'my-agent'] = process.argv.slice(2);
const leaseMs = 60_000;

/** Put the work here. It throws what it cannot do. */
async function work(task: OutsideTask): Promise<unknown> {
  return { summary: `looked at: ${task.description.slice(0, 60)}` };
}

const fleet = await connectFleet(); // reads REDIS_URL and FLEET_SWARM
const over = new AbortController();
process.once('SIGINT', () => over.abort());

while (!over.signal.aborted) {
  const claim = await fleet.outside.claim({ as, leaseMs });
  if (claim === null) {
    await sleep(1_000);
    continue;
  }
  const ref = { taskId: claim.task_id, lease: claim.lease };
  const renewing = setInterval(() => {
    fleet.outside.renew({ ...ref, forMs: leaseMs }).catch(() => undefined); // the report tells if the lease is lost
  }, leaseMs / 3);
  try {
    const result = await work(claim.task);
    const { finding_id: findingId } = await fleet.outside.report({ ...ref, result });
    console.log(`${claim.task_id}: ${findingId}`);
  } catch (error) {
    if (error instanceof LeaseLostError) console.error(error.message);
    else await fleet.outside.fail({ ...ref, why: error instanceof Error ? error.message : String(error) });
  } finally {
    clearInterval(renewing);
  }
}
await fleet.close();
