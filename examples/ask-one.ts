/**
 * Adds one task, waits for its finding and prints it.
 *
 *   node dist/examples/ask-one.js "What does README.md say?" site
 */
import { connectFleet, JobFailedError, WaitTimeoutError } from 'haiku-fleet';

const [description = 'What is this folder about?', workspace] = process.argv.slice(2);

const fleet = await connectFleet(); // reads REDIS_URL and FLEET_SWARM
try {
  const job = await fleet.tasks.add({ description, ...(workspace === undefined ? {} : { workspace }) });
  console.log(`Enqueued ${job.id}`);
  const finding = await job.finding({ timeoutMs: 5 * 60_000 });
  console.log(finding.result);
  console.log(`${finding.finding_id}, $${finding.cost}`);
} catch (error) {
  if (error instanceof JobFailedError) console.error(`The task failed: ${error.reason}`);
  else if (error instanceof WaitTimeoutError) console.error('No answer yet; the task goes on.');
  else throw error;
  process.exitCode = 1;
} finally {
  await fleet.close(); // the open connection would keep the script running
}
