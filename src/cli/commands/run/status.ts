import { setTimeout as sleep } from 'node:timers/promises';
import { readHalt } from '../../../halt/halt.ts';
import type { Halt } from '../../../halt/types.ts';
import { createColours } from '../../../status/render/colours.ts';
import { renderHalt } from '../../../status/render/needs-person.ts';
import { readBatch } from '../../../tasks/batch/progress.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { toRedisError } from '../../../redis/errors/redis-errors.ts';
import { toMessage } from '../../../errors.ts';
import { renderCompactStatus, renderStatus } from '../../../status/render/status.ts';
import { EXIT } from '../../output/report-failure.ts';
import { isTerminal, printJson, wantsColour } from '../../output/print.ts';
import type { ShardState } from '../../../status/types.ts';
import { countOf, formatCount } from '../../../text/plural.ts';
import { renderBatch } from '../../output/batch.ts';
import { withFleet, readSnapshot } from '../../input/with-fleet.ts';

const WATCH_MS = 5_000;
const CLEAR = '\u001b[H\u001b[2J';

export interface StatusCommandOptions {
  watch?: boolean;
  compact?: boolean;
  json?: boolean;
  batch?: string;
  shard?: string;
}

/** Does `fleet status`. */
export async function runStatusCommand(options: StatusCommandOptions): Promise<void> {
  await withFleet(async (fleet) => {
    if (options.watch) await watch(fleet, options);
    else if (await show(fleet, options)) process.exitCode = EXIT.halted;
  });
}

/** Prints the status once. @returns whether the fleet is halted */
async function show(fleet: OpenFleet, options: StatusCommandOptions): Promise<boolean> {
  const { db } = fleet.inner;
  if (options.batch !== undefined) {
    const [batch, halt] = await Promise.all([readBatch(db, options.batch), readHalt(db)]);
    print(options, batch, () => withHalt(halt, renderBatch(batch)));
    return halt !== null;
  }
  if (options.shard !== undefined) {
    const [shard, halt] = await Promise.all([fleet.shard(options.shard), readHalt(db)]);
    print(options, shard, () => withHalt(halt, renderShard(shard)));
    return halt !== null;
  }
  const snapshot = await readSnapshot(fleet);
  print(options, snapshot, () =>
    options.compact ? renderCompactStatus(snapshot) : renderStatus(snapshot, { colour: wantsColour() }),
  );
  return snapshot.halt !== null;
}

function print({ json }: StatusCommandOptions, value: unknown, render: () => string): void {
  if (json) printJson(value);
  else console.log(render());
}

/** A part of the fleet is shown below the halt that stops it. */
function withHalt(halt: Halt | null, text: string): string {
  if (halt === null) return text;
  return [...renderHalt(halt, createColours({ colour: wantsColour() })), '', text].join('\n');
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

/** The state of a memory shard, for people. */
function renderShard({ shard, context, findings, tasks, calls, costUsd }: ShardState): string {
  const document =
    context === null
      ? 'none; fleet context load NAME FILE stores one'
      : `${formatCount(context.bytes)} bytes, loaded ${context.loadedAt}, version ${context.sha256.slice(0, 12)}`;
  return [
    `Memory shard ${shard}`,
    `Context:   ${document}`,
    `Findings:  ${formatCount(findings)}`,
    `Tasks:     ${formatCount(tasks)} done`,
    `Cost:      $${costUsd} for ${countOf(calls, 'call')}`,
  ].join('\n');
}
