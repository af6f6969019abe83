/**
 * Adds a mission, waits for its answer and prints it with its sources.
 *
 *   node dist/examples/give-mission.js "What is in here, and what is left to do?" site
 */
import { connectFleet, JobFailedError, WaitTimeoutError } from 'haiku-fleet';

const [goal = 'What is in here, and what is left to do?', workspace] = process.argv.slice(2);

const fleet = await connectFleet(); // reads REDIS_URL and FLEET_SWARM
try {
  // The budget covers the plan, all tasks and the answer together.
  const mission = await fleet.missions.add({ goal, budget_usd: 1, ...(workspace === undefined ? {} : { workspace }) });
  console.log(`Given ${mission.id}`);
  const { result, citations } = await mission.finding({ timeoutMs: 60 * 60_000 });
  const answer: unknown = typeof result === 'object' && result !== null && 'answer' in result ? result.answer : result;
  console.log(answer);
  console.log(`Sources: ${citations.join(', ')}`);
} catch (error) {
  if (error instanceof JobFailedError) console.error(`The mission failed: ${error.reason}`);
  else if (error instanceof WaitTimeoutError) console.error('No answer yet; the mission goes on.');
  else throw error;
  process.exitCode = 1;
} finally {
  await fleet.close(); // the open connection would keep the script running
}
