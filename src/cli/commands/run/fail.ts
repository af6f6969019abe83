import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';

export interface FailCommandOptions {
  lease: string;
  why: string;
  json?: boolean;
}

/** Does `fleet fail`. */
export async function runFailCommand(taskId: string, { lease, why, json }: FailCommandOptions): Promise<void> {
  await withFleet(async (fleet) => {
    const failed = await fleet.outside.fail({ taskId, lease, why });
    if (json) return printJson(failed);
    console.log(`Failed ${taskId}; fleet retry ${taskId} offers it again`);
  });
}
