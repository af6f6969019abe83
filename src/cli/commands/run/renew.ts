import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';

export interface RenewCommandOptions {
  lease: string;
  /** Seconds. */
  for?: number;
  json?: boolean;
}

/** Does `fleet renew`. */
export async function runRenewCommand(taskId: string, options: RenewCommandOptions): Promise<void> {
  const { lease, for: seconds } = options;
  await withFleet(async (fleet) => {
    const renewed = await fleet.outside.renew({
      taskId,
      lease,
      ...(seconds === undefined ? {} : { forMs: seconds * 1_000 }),
    });
    if (options.json) return printJson(renewed);
    console.log(`Renewed ${taskId} until ${renewed.expires_at}`);
  });
}
