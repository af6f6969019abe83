import type { OpenFleet } from '../api/open-fleet.ts';
import { readSnapshot } from './read-snapshot.ts';

/** Says so when what is waited for cannot begin: nobody is there to do it. */
export async function warnWithoutWorkers(fleet: OpenFleet): Promise<void> {
  const { workers } = await readSnapshot(fleet);
  if (workers.length === 0) console.error('⚠️  No worker is up, so that nothing begins: fleet up starts some');
}
