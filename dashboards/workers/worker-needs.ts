import type { ListedJob } from '../../src/jobs/find/types.ts';
import { describeTrees, isOverBound } from '../../src/patches/sweep/tree-hosts.ts';
import type { StatusSnapshot } from '../../src/status/types.ts';
import { describeSkew } from '../../src/swarm/host-clocks.ts';
import type { LiveWorker } from '../../src/swarm/types.ts';
import { describeDuration } from '../../src/text/time/duration.ts';

/** A worker gives a sign of life every 15 s. */
const SILENT_MS = 40_000;
/** A job that a process works on for longer is worth a look. */
const LONG_MS = 60 * 60_000;

/** Why a process needs a person. `command`: the command line that helps; empty: there is none. */
export interface Need {
  text: string;
  command: string;
}

/** @param version of this dashboard */
export function toWorkerNeeds(
  worker: LiveWorker,
  { hostClocks, treeHosts, at }: StatusSnapshot,
  version: string,
): Need[] {
  const { host, seenAt } = worker;
  const silentMs = Date.parse(at) - seenAt;
  const clock = hostClocks.find((one) => one.host === host);
  const trees = treeHosts.find((one) => one.host === host && isOverBound(one));
  return [
    ...(worker.version === version
      ? []
      : [{ text: `runs ${worker.version ?? 'an older version'}, this dashboard ${version}`, command: 'fleet reload' }]),
    ...(silentMs < SILENT_MS
      ? []
      : [{ text: `no sign of life for ${describeDuration(silentMs)}`, command: 'fleet doctor' }]),
    ...(clock === undefined
      ? []
      : [{ text: `the clock of ${host} is ${describeSkew(clock.skewMs)}: set it with NTP`, command: '' }]),
    ...(trees === undefined ? [] : [{ text: describeTrees(trees), command: 'fleet worktrees' }]),
  ];
}

/** @param job that a process works on. @param now ms since 1970 */
export function toJobNeeds({ id, at }: ListedJob, now: number): Need[] {
  const ms = now - Date.parse(at);
  return ms < LONG_MS ? [] : [{ text: `works on ${id} for ${describeDuration(ms)}`, command: `fleet job ${id}` }];
}
