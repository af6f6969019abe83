import type { OpenFleet } from '../api/open-fleet.ts';

const PROCESSES = { missions: 'coordinator', archive: 'librarian' } as const;

/** Says so when a paper cannot begin, or not go on: nobody is there to do it. */
export async function warnWithoutWriters({ inner }: OpenFleet): Promise<void> {
  for (const name of ['missions', 'archive'] as const) {
    const count = await inner.queues[name].getWorkersCount().catch(() => null); // a Redis that hides its clients
    if (count !== 0) continue;
    console.error(`⚠️  No ${PROCESSES[name]} is up: the paper waits for one; fleet up starts it`);
  }
}

/** Says so when a question that is waited for cannot be answered: nobody is there to do it. */
export async function warnWithoutLibrarian({ inner }: OpenFleet): Promise<void> {
  const count = await inner.queues.archive.getWorkersCount().catch(() => null); // as above
  if (count === 0) console.error('⚠️  No librarian is up: the question waits for one; fleet up starts it');
}
