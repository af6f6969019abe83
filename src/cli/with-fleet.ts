import { loadConfig } from '../config/environment.ts';
import { openFleet, type OpenFleet } from '../api/open-fleet.ts';

/** Connects to the fleet of this environment, and lets go of it however `use` ends. */
export async function withFleet<T>(use: (fleet: OpenFleet) => Promise<T>): Promise<T> {
  const fleet = await openFleet(loadConfig(process.env));
  try {
    return await use(fleet);
  } finally {
    await fleet.close();
  }
}
