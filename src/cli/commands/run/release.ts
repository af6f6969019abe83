import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';

export interface ReleaseCommandOptions {
  lease: string;
  json?: boolean;
}

/** Does `fleet release`. */
export async function runReleaseCommand(taskId: string, { lease, json }: ReleaseCommandOptions): Promise<void> {
  await withFleet(async (fleet) => {
    const released = await fleet.outside.release({ taskId, lease });
    if (json) return printJson(released);
    console.log(`Gave ${taskId} back; it is offered again`);
  });
}
