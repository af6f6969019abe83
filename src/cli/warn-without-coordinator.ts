import type { OpenFleet } from '../api/open-fleet.ts';

/** Says so when a mission cannot begin, or its tasks cannot: nobody is there to do it. */
export async function warnWithoutCoordinator({ inner }: OpenFleet): Promise<void> {
  const { queues } = inner;
  const [coordinators, workers] = await Promise.all(
    [queues.missions, queues.tasks].map((queue) => queue.getWorkersCount().catch(() => null)), // a Redis that hides its clients
  );
  if (coordinators === 0) {
    console.error('⚠️  No coordinator is up, so that nothing begins: fleet up starts one');
  } else if (workers === 0) {
    console.error('⚠️  No worker is up, so that its tasks wait: fleet up starts some');
  }
}
