import type { TaskInput } from '../../../../queues/tasks.ts';
import type { Claim } from '../../../outside/types.ts';
import { toOneLine } from '../../../text/one-line.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { printJson } from '../../output/print.ts';

export interface ClaimCommandOptions {
  as: string;
  /** Seconds. */
  lease?: number;
  kind?: NonNullable<TaskInput['kind']>;
  batch?: string;
  shard?: string;
  json?: boolean;
}

/** Does `fleet claim`. Without a task it prints `null` and exits 0: a script asks again. */
export async function runClaimCommand(task: string | undefined, options: ClaimCommandOptions): Promise<void> {
  const { as, lease, kind, batch, shard, json } = options;
  await withFleet(async (fleet) => {
    const claim = await fleet.outside.claim({
      as,
      ...(lease === undefined ? {} : { leaseMs: lease * 1_000 }),
      ...(task === undefined ? {} : { task }),
      ...(kind === undefined ? {} : { kind }),
      ...(batch === undefined ? {} : { batch }),
      ...(shard === undefined ? {} : { shard }),
      onNone: (why) => console.error(why),
    });
    if (json === true || claim === null) return printJson(claim);
    for (const line of describe(claim)) console.log(line);
  });
}

function describe({ task_id: id, lease, expires_at: expiresAt, task }: Claim): string[] {
  return [
    `Claimed ${id} until ${expiresAt}`,
    `  ${toOneLine(task.description, 200)}`,
    `  all of it: the same with --json; its end: fleet report ${id} --lease ${lease} --result FILE`,
  ];
}
