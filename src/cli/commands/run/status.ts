import { setTimeout as sleep } from 'node:timers/promises';
import { readBatch } from '../../../tasks/batch/progress.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { toRedisError } from '../../../redis/connect.ts';
import { toMessage } from '../../../errors.ts';
import { renderCompactStatus, renderStatus } from '../../../status/render/status.ts';
import { isTerminal, printJson, wantsColour } from '../../output/print.ts';
import { renderBatch } from '../../output/batch.ts';
import { withFleet, readSnapshot } from '../../input/with-fleet.ts';

const WATCH_MS = 5_000;
const CLEAR = '\u001b[H\u001b[2J';

export interface StatusCommandOptions {
  watch?: boolean;
  compact?: boolean;
  json?: boolean;
  batch?: string;
}

/** Does `fleet status`. */
export async function runStatusCommand(options: StatusCommandOptions): Promise<void> {
  await withFleet(async (fleet) => {
    if (options.watch) await watch(fleet, options);
    else await show(fleet, options);
  });
}

async function show(fleet: OpenFleet, options: StatusCommandOptions): Promise<void> {
  const { db } = fleet.inner;
  if (options.batch !== undefined) {
    const batch = await readBatch(db, options.batch);
    return options.json ? printJson(batch) : console.log(renderBatch(batch));
  }
  const snapshot = await readSnapshot(fleet);
  if (options.json) return printJson(snapshot);
  console.log(options.compact ? renderCompactStatus(snapshot) : renderStatus(snapshot, { colour: wantsColour() }));
}

/** Prints the status until Ctrl-C. While Redis is away it prints that, and tries again. */
async function watch(fleet: OpenFleet, options: StatusCommandOptions): Promise<void> {
  for (;;) {
    if (isTerminal()) process.stdout.write(CLEAR);
    await show(fleet, options).catch((error: unknown) => {
      const { REDIS_URL, embedded } = fleet.inner.config;
      console.log(toMessage(toRedisError(error, REDIS_URL, embedded !== null)));
    });
    await sleep(WATCH_MS);
  }
}
